import pytest

from artifacts.errors import ArtifactError, ConfigError
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from cli.near import run_near
from cli.pipeline import run_index, run_prepare
from cli.shop import ShopConfig, load_shop
from cli.spaces import run_train
from tests.shop_files import ITEMS_PER_GROUP, SHOP, write_shop

TOKEN = "category:2=group 3 > half 1"
META = """
[train.meta]
dimensions = 16

[train.meta.softmax]
epochs = 8
noise = 64

[[index.spaces]]
space = "meta"
neighbors = 5
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> ShopConfig:
    path = write_shop(tmp_path_factory.mktemp("shop"), SHOP + META)
    shop = load_shop(path)
    run_prepare(shop, SilentProgress())
    folders = run_train(shop, ["meta"], SilentProgress())
    assert list(folders) == ["meta"]
    return shop


def test_products_of_a_category_are_near_it(shop):
    near = run_near(shop, [TOKEN], Relation.ALTERNATIVES, 6)
    # Sessions keep to a group and know nothing of its halves.
    assert [each.category.partition(" > ")[0] for each in near] == ["group 3"] * 6
    scores = [each.score for each in near]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] <= 1


def test_what_goes_with_it_is_asked_by_the_other_relation(shop):
    near = run_near(shop, [TOKEN], Relation.CONTINUATIONS, ITEMS_PER_GROUP)
    assert sum(each.category.startswith("group 3") for each in near) > 0.8 * ITEMS_PER_GROUP


def test_one_token_named_twice_asks_for_the_same(shop):
    once, twice = (run_near(shop, [TOKEN] * times, Relation.ALTERNATIVES, 4) for times in (1, 2))
    assert [each.item_id for each in once] == [each.item_id for each in twice]


def test_unknown_tokens_are_answered_with_columns_and_what_is_most_like_them(shop):
    with pytest.raises(ConfigError, match="got 'brand=Ox'; columns are category:2; most like it"):
        run_near(shop, ["brand=Ox"], Relation.ALTERNATIVES, 4)


def test_a_space_that_is_not_trained_is_an_error(shop, tmp_path):
    with pytest.raises(ArtifactError, match="shelfmate"):
        run_near(shop.model_copy(update={"work_dir": tmp_path}), ["x=y"], Relation.ALTERNATIVES, 4)


def test_the_space_is_served_like_any_other(shop):
    run_train(shop, ["cf"], SilentProgress())
    snapshot = run_index(shop, SilentProgress())
    assert {entry.name: entry.asymmetric for entry in snapshot.contents.spaces}["meta"]
    for relation in Relation:
        row = snapshot.items.row("0301")
        near = snapshot.neighbors["meta", relation].lookup(row)
        assert near is not None
        assert {id[:2] for id in snapshot.items.ids(near[0])} == {"03"}
