import numpy as np
import pytest

from artifacts.errors import ArtifactError
from retrieval.user_space import UserOrigin, UserSpace, Visits
from tests.made_users import prepare_shoppers, train_users


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare_shoppers(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def space(prepared, tmp_path_factory) -> UserSpace:
    return train_users(prepared, tmp_path_factory.mktemp("user"))


def visits(prepared, *ids: str) -> Visits:
    return Visits(prepared.items.rows(ids), np.ones(len(ids), dtype=np.float32))


def test_a_known_user_is_stored(space):
    found = space.vector("u3")
    assert found.origin is UserOrigin.STORED
    np.testing.assert_array_equal(found.values, space.users.vectors[space.users.row("u3")])


def test_folding_a_users_own_history_in_gives_the_stored_vector(space):
    for row in range(len(space.users)):
        folded = space.vector("nobody", Visits(*space.users.taken(row)))
        assert folded.origin is UserOrigin.FOLDED_IN
        np.testing.assert_allclose(folded.values, space.users.vectors[row], atol=1e-4)
        np.testing.assert_array_equal(folded.taken, space.users.taken(row)[0])


def test_fresh_events_add_to_the_history(prepared, space):
    old_items, old_weights = space.users.taken(space.users.row("u3"))
    fresh = visits(prepared, "t5-01", "t3-00", "t5-01")
    found = space.vector("u3", fresh)
    both = Visits(
        np.concatenate([old_items, fresh.rows]), np.concatenate([old_weights, fresh.weights])
    )
    assert found.origin is UserOrigin.FOLDED_IN
    np.testing.assert_allclose(found.values, space.vector("nobody", both).values, rtol=1e-6)
    assert set(prepared.items.ids(found.taken)) >= {"t5-01", "t3-00"}
    score = space.factors[space.items.positions(fresh.rows[:1])] @ np.stack(
        [found.values, space.vector("u3").values], axis=1
    )
    assert score[0, 0] > score[0, 1]


def test_an_unknown_user_without_known_items_is_named_unknown(space):
    found = space.vector("nobody")
    assert (found.origin, found.values, len(found.taken)) == (UserOrigin.UNKNOWN, None, 0)
    unknown_items = Visits(np.array([-1, -1], dtype=np.int32), np.ones(2, dtype=np.float32))
    assert space.vector("nobody", unknown_items).origin is UserOrigin.UNKNOWN
    assert space.vector("u3", unknown_items).origin is UserOrigin.STORED


def test_a_folder_without_users_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="expected a sealed embedding"):
        UserSpace.open(tmp_path)
