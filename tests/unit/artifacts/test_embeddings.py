from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ArtifactError, DataError
from artifacts.relation import Relation
from tests.clusters import clustered


def table(rows: list[int], outputs: bool = False) -> EmbeddingTable:
    n = len(rows)
    return EmbeddingTable(
        "cf",
        np.array(rows, dtype=np.int32),
        clustered(n, 4, seed=1),
        clustered(n, 4, seed=2) if outputs else None,
    )


@settings(derandomize=True, deadline=None)
@given(
    known=st.sets(st.integers(0, 50)).map(sorted), asked=st.lists(st.integers(0, 60), max_size=20)
)
def test_positions_equal_looking_each_row_up(known: list[int], asked: list[int]):
    found = table(known).positions(np.array(asked, dtype=np.int32))
    assert found.tolist() == [known.index(row) if row in known else -1 for row in asked]
    assert found.dtype == np.int32


@pytest.mark.parametrize("outputs", [False, True])
def test_table_opens_as_it_was_saved(tmp_path: Path, outputs: bool):
    saved = table([2, 5, 9], outputs)
    saved.save(tmp_path)
    opened = EmbeddingTable.open(tmp_path, "cf", {"id": "x"})
    np.testing.assert_array_equal(opened.rows, saved.rows)
    for relation in saved.relations:
        np.testing.assert_array_equal(opened.targets(relation), saved.targets(relation))
    assert (len(opened), opened.dim, opened.relations) == (3, 4, saved.relations)
    assert opened.lineage == {"id": "x"}


def test_symmetric_space_has_no_continuations():
    assert table([1]).relations == (Relation.ALTERNATIVES,)
    with pytest.raises(DataError, match="no continuations"):
        table([1]).targets(Relation.CONTINUATIONS)


def broken_tables() -> dict[str, EmbeddingTable]:
    good = table([1, 2, 3], outputs=True)
    nan = clustered(3, 4)
    nan[1, 1] = np.nan
    return {
        "nan in row 1": EmbeddingTable("cf", good.rows, nan),
        "nan in outputs, row 1": EmbeddingTable("cf", good.rows, good.vectors, nan),
        "unsorted": EmbeddingTable("cf", good.rows[::-1].copy(), good.vectors),
        "twice": EmbeddingTable("cf", np.array([1, 1, 2], np.int32), good.vectors),
        "int64": EmbeddingTable("cf", np.array([1, 2, 3]), good.vectors),
        "short": EmbeddingTable("cf", good.rows[:2], good.vectors),
        "narrow outputs": EmbeddingTable("cf", good.rows, good.vectors, clustered(3, 3)),
        "few outputs": EmbeddingTable("cf", good.rows, good.vectors, clustered(2, 4)),
    }


@pytest.mark.parametrize("fault", broken_tables())
def test_tables_that_break_the_rules_are_not_saved(tmp_path: Path, fault: str):
    with pytest.raises(DataError, match="space 'cf'"):
        broken_tables()[fault].save(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["rows.npy", "vectors.npy"])
def test_missing_array_is_an_artifact_error(tmp_path: Path, name: str):
    table([1, 2]).save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ArtifactError, match=name):
        EmbeddingTable.open(tmp_path, "cf")
