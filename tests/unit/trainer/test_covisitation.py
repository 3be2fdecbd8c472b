from typing import TypeAlias

import numpy as np
import pytest

from artifacts.arrays import IntVector
from artifacts.covisitation import COUNTS_NAME, CovisitationTable
from artifacts.errors import ArtifactError
from artifacts.manifest import read_manifest, verify
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from tests.made_lists import ragged, random_lists
from tests.made_users import prepare_shoppers
from trainer import covisitation
from trainer.covisitation import count_covisitation, make_covisitation
from trainer.tables_config import CovisitationConfig
from trainer.weighted_lists import WeightedLists

ITEMS = 30
Entry: TypeAlias = tuple[int, float, int]  # row, score, count
SESSIONS = random_lists(150, ITEMS - 2, seed=1)  # the last items are in no session


def counted(
    config: CovisitationConfig, sessions=SESSIONS, items=ITEMS, weights=None
) -> CovisitationTable:
    lists = WeightedLists(ragged(sessions), weights)
    return count_covisitation(lists, items, config, progress=SilentProgress())


def twin(config: CovisitationConfig, item: int) -> list[Entry]:
    """Return (row, score, count) of the neighbours of an item, by the definition."""
    found = []
    for other in range(ITEMS):
        both = [one for one in SESSIONS if item in one and other in one]
        if other == item or len(both) < config.min_sessions or not both:
            continue
        holders = sum(other in one for one in SESSIONS)
        weights = [weight(config, one, item, other) for one in both]
        score = np.float32(sum(weights) / np.sqrt(holders + config.smoothing))
        found.append((other, float(score), len(both)))
    return sorted(found, key=lambda entry: (-entry[1], entry[0]))[: config.top_k]


def weight(config: CovisitationConfig, session: list[int], item: int, other: int) -> float:
    if config.distance == "none":
        return 1.0
    places = range(len(session))
    return max(
        1 / abs(a - b) for a in places for b in places if session[a] == item and session[b] == other
    )


@pytest.mark.parametrize(
    "config",
    [
        CovisitationConfig(),
        CovisitationConfig(top_k=3, smoothing=0),
        CovisitationConfig(distance="reciprocal"),
        CovisitationConfig(distance="reciprocal", top_k=4, min_sessions=5),
    ],
    ids=["default", "short", "by distance", "by distance, supported"],
)
def test_neighbours_are_those_of_the_definition(config):
    table = counted(config)
    assert len(table) == ITEMS
    for item in range(ITEMS):
        rows, scores, counts = table.lookup(item)
        expected = twin(config, item)
        assert counts.tolist() == [count for _, _, count in sorted_like(rows, expected)]
        np.testing.assert_allclose(scores, [score for _, score, _ in expected], rtol=1e-6)


def sorted_like(rows: IntVector, expected: list[Entry]) -> list[Entry]:
    """Return the expected entries in the order of `rows`; they must be the same items."""
    by_row = {row: (row, score, count) for row, score, count in expected}
    assert set(rows.tolist()) == set(by_row)
    return [by_row[row] for row in rows.tolist()]


def test_equal_scores_are_in_row_order():
    table = counted(CovisitationConfig(), sessions=[[4, 2, 7, 0]], items=8)
    assert table.lookup(4)[0].tolist() == [0, 2, 7]


def test_items_in_no_session_have_no_neighbours():
    assert [len(part) for part in counted(CovisitationConfig()).lookup(ITEMS - 1)] == [0, 0, 0]


def test_neither_threads_nor_parts_change_the_table(monkeypatch):
    whole = counted(CovisitationConfig(threads=1))
    monkeypatch.setattr(covisitation, "ITEMS_PER_TASK", 7)
    parts = counted(CovisitationConfig(threads=2))
    np.testing.assert_array_equal(whole.neighbors.values, parts.neighbors.values)
    np.testing.assert_array_equal(whole.scores, parts.scores)


def test_version_is_sealed_opened_and_reused(tmp_path):
    prepared = prepare_shoppers(tmp_path)
    root = VersionedRoot(tmp_path / "tables")
    config = CovisitationConfig()
    folder = make_covisitation(prepared, config, root, progress=SilentProgress())
    verify(folder, read_manifest(folder, "table"))
    threads = config.model_copy(update={"threads": 1})
    assert make_covisitation(prepared, threads, root, progress=SilentProgress()) == folder
    rows = CovisitationTable.open(folder).lookup(prepared.items.row("t2-00"))[0]
    assert {id.split("-")[0] for id in prepared.items.ids(rows)} == {"t2"}


def test_files_that_disagree_are_refused(tmp_path):
    prepared = prepare_shoppers(tmp_path)
    root = VersionedRoot(tmp_path / "tables")
    folder = make_covisitation(prepared, CovisitationConfig(), root, progress=SilentProgress())
    np.save(folder / COUNTS_NAME, np.zeros(2, dtype=np.int32))
    with pytest.raises(ArtifactError, match="2 counts"):
        CovisitationTable.open(folder)
    (folder / COUNTS_NAME).unlink()
    with pytest.raises(ArtifactError, match="co-visitation cannot be opened"):
        CovisitationTable.open(folder)
