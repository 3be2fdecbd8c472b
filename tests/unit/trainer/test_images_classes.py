import numpy as np
import pytest

from artifacts.catalog import write_catalog
from artifacts.errors import DataError
from trainer.images_config import FineTuneConfig
from trainer.picture_classes import choose_classes

PATHS = ["Food > Fruit > Apple"] * 6 + ["Food > Fruit > Pear"] * 3 + ["Food > Milk", "Paint", None]


@pytest.fixture
def catalog(tmp_path):
    return write_catalog(
        tmp_path,
        titles=[None] * len(PATHS),
        category_paths=PATHS,
        top_categories=[None] * len(PATHS),
        brands=[None] * len(PATHS),
        prices=np.zeros(len(PATHS), dtype=np.float32),
        popularity=np.zeros(len(PATHS), dtype=np.int32),
    )


def each(count: int) -> np.ndarray:
    """Rows of pictures, `count` of every item."""
    return np.repeat(np.arange(len(PATHS), dtype=np.int32), count)


def test_every_picture_of_a_class_is_of_its_category_path(catalog):
    rows = each(4)
    chosen = choose_classes(rows, catalog, FineTuneConfig())
    assert chosen.names == ("Food > Fruit > Apple", "Food > Fruit > Pear", "Food > Milk", "Paint")
    for places, classes in (
        (chosen.training, chosen.training_classes),
        (chosen.heldout, chosen.heldout_classes),
    ):
        labels = [chosen.names[number] for number in classes]
        assert labels == [PATHS[row] for row in rows[places]]
        assert (np.diff(places) > 0).all()
    assert len(chosen.training) + len(chosen.heldout) == 4 * 11


@pytest.mark.parametrize(
    ("level", "names"),
    [(1, ("Food", "Paint")), (2, ("Food > Fruit", "Food > Milk", "Paint"))],
)
def test_a_level_joins_what_lies_below_it(catalog, level, names):
    assert choose_classes(each(2), catalog, FineTuneConfig(level=level)).names == names


@pytest.mark.parametrize("seed", range(5))
def test_no_item_is_learned_from_and_held_out(catalog, seed):
    rows = each(3)
    chosen = choose_classes(rows, catalog, FineTuneConfig(heldout=0.5, seed=seed))
    assert not set(rows[chosen.training]) & set(rows[chosen.heldout])
    assert set(chosen.training_classes) == {0, 1, 2, 3}
    assert len(chosen.heldout) > 0


def test_the_share_held_out_holds_on_average(catalog):
    rows = each(2)
    shares = [
        np.isin(rows[chosen.heldout], range(6)).sum() / 12
        for seed in range(400)
        for chosen in [choose_classes(rows, catalog, FineTuneConfig(heldout=0.25, seed=seed))]
    ]
    assert np.mean(shares) == pytest.approx(0.25, abs=0.02)


def test_nothing_is_held_out_where_every_class_has_one_item(catalog):
    rows = np.repeat(np.array([0, 9], dtype=np.int32), 5)
    chosen = choose_classes(rows, catalog, FineTuneConfig(heldout=0.9))
    assert len(chosen.heldout) == 0
    assert chosen.heldout.dtype == chosen.training.dtype


def test_a_limit_takes_from_the_largest_classes_alone(catalog):
    chosen = choose_classes(each(5), catalog, FineTuneConfig(max_pictures=30, heldout=0))
    assert np.bincount(chosen.training_classes).tolist() == [10, 10, 5, 5]


def test_equal_seeds_choose_equally_and_others_differently(catalog):
    rows = each(5)
    one, two, other = (
        choose_classes(rows, catalog, FineTuneConfig(seed=seed, max_pictures=20, heldout=0.4))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.training, two.training)
    assert one.training.tolist() != other.training.tolist()


@pytest.mark.parametrize(("balance", "ratio"), [(0, 1), (0.5, 6**0.5), (1, 6)])
def test_balance_weighs_pictures_of_small_classes_more(catalog, balance, ratio):
    chosen = choose_classes(each(2), catalog, FineTuneConfig(heldout=0))
    weights = chosen.weights(balance)
    assert weights.mean() == pytest.approx(1)
    apples, milk = weights[chosen.training_classes == 0], weights[chosen.training_classes == 2]
    assert milk[0] / apples[0] == pytest.approx(ratio)


def test_fewer_than_two_classes_cannot_be_learned(catalog):
    with pytest.raises(DataError, match=r"two classes of 2 pictures, got 1"):
        choose_classes(each(2)[:4], catalog, FineTuneConfig())
    with pytest.raises(DataError, match="got 0"):
        choose_classes(each(1)[6:], catalog, FineTuneConfig(min_pictures=50))
