import numpy as np
import pytest

from artifacts.errors import DataError
from artifacts.manifest import read_manifest, verify
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from artifacts.versions import VersionedRoot
from retrieval.fold_in import fold_in
from retrieval.user_space import UserSpace
from tests.made_users import (
    SMALL,
    USERS,
    prepare_shoppers,
    themed_shoppers,
    train_users,
    write_sessions,
)
from trainer.als import fit_als, train_als
from trainer.interactions import read_interactions


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare_shoppers(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def space(prepared, tmp_path_factory) -> UserSpace:
    return train_users(prepared, tmp_path_factory.mktemp("user"))


def test_every_user_prefers_the_items_of_their_theme(prepared, space):
    themes = np.array([id.split("-")[0] for id in prepared.items.ids(space.items.rows)])
    scores = space.users.vectors @ space.factors.T  # (users, items)
    for number in range(USERS):
        own = themes == f"t{number}"
        row = space.users.row(f"u{number}")
        assert scores[row, own].min() > scores[row, ~own].max()


def test_history_is_what_the_user_took_and_how_often(prepared, space):
    sessions = themed_shoppers(60)
    for number in range(USERS):
        mine = [item for session in sessions[number::USERS] for item in session]
        rows, weights = space.users.taken(space.users.row(f"u{number}"))
        assert prepared.items.ids(rows) == sorted(set(mine))
        assert weights.tolist() == [mine.count(id) for id in prepared.items.ids(rows)]


def test_an_items_input_vector_is_that_of_a_user_who_took_it_once(space):
    once = np.ones(1, dtype=np.float32)
    for place in range(0, len(space.items), 9):
        expected = fold_in(space.terms, space.factors[place : place + 1], once)
        np.testing.assert_allclose(space.items.vectors[place], expected, rtol=1e-4, atol=1e-6)


def test_both_relations_are_answered_among_item_factors(space):
    assert space.items.relations == (Relation.ALTERNATIVES, Relation.CONTINUATIONS)
    np.testing.assert_allclose(space.terms.gram, space.factors.T @ space.factors, rtol=1e-4)


def test_threads_do_not_change_the_vectors(prepared):
    interactions = read_interactions(prepared.train_sessions)
    one, two = (
        fit_als(
            interactions, SMALL.model_copy(update={"threads": n}), progress=SilentProgress()
        ).item_factors
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_version_is_sealed_whole_and_reused(prepared, tmp_path):
    root = VersionedRoot(tmp_path)
    folder = train_als(prepared, SMALL, root, progress=SilentProgress())
    manifest = read_manifest(folder, "embedding")
    verify(folder, manifest)
    assert manifest.details["users"] == USERS
    again = train_als(
        prepared, SMALL.model_copy(update={"threads": 2}), root, progress=SilentProgress()
    )
    assert again == folder
    other = SMALL.model_copy(update={"alpha": 2.0})
    assert train_als(prepared, other, root, progress=SilentProgress()) != folder


def test_a_user_with_one_item_gets_a_vector_that_prefers_it(tmp_path):
    sessions = [
        {"session_id": f"s{n}", "user_id": f"u{n}", "items": [n, n + 1] if n else [5]}
        for n in range(5)
    ]
    interactions = read_interactions(write_sessions(tmp_path / "s.parquet", sessions))
    model = fit_als(interactions, SMALL, progress=SilentProgress())
    assert interactions.users[0] == "u0"
    best = np.argmax(model.item_factors @ model.users[0])
    assert interactions.items[best] == 5


def test_data_without_users_leave_nothing_behind(tmp_path):
    prepared = prepare_shoppers(tmp_path)
    sessions = [{"session_id": "a", "user_id": None, "items": [0, 1]}]
    write_sessions(prepared.train_sessions, sessions)
    root = tmp_path / "user"
    with pytest.raises(DataError, match="expected sessions with a user_id"):
        train_als(prepared, SMALL, VersionedRoot(root), progress=SilentProgress())
    assert not list(root.iterdir())


def test_vectors_that_regularisation_left_nothing_of_are_refused(prepared):
    interactions = read_interactions(prepared.train_sessions)
    strong = SMALL.model_copy(update={"regularisation": 1_000.0})
    with pytest.raises(DataError, match="`regularisation` = 1000 is too strong"):
        fit_als(interactions, strong, progress=SilentProgress())
