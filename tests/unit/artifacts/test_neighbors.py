from pathlib import Path

import numpy as np
import pytest

from artifacts.errors import ArtifactError
from artifacts.neighbors import Neighbors, NeighborTable


def made() -> NeighborTable:
    return NeighborTable(
        positions=np.array([1, -1, 0], dtype=np.int32),
        rows=np.array([[0, -1], [2, 1]], dtype=np.int32),
        scores=np.array([[0.5, -np.inf], [0.9, 0.1]], dtype=np.float32),
    )


def test_empty_answer_is_all_padding():
    empty = Neighbors.empty(2, 3)
    assert empty.rows.tolist() == [[-1] * 3] * 2
    assert np.all(empty.scores == -np.inf)


def test_lookup_gives_the_list_of_an_item_or_none(tmp_path: Path):
    made().save(tmp_path)
    table = NeighborTable.open(tmp_path)
    first, last = table.lookup(0), table.lookup(2)
    assert first is not None
    assert last is not None
    assert first[0].tolist() == [2, 1]
    assert last[0].tolist() == [0, -1]
    assert table.lookup(1) is None
    assert table.k == 2


@pytest.mark.parametrize("name", ["positions", "rows", "scores"])
def test_missing_array_is_an_artifact_error(tmp_path: Path, name: str):
    made().save(tmp_path)
    (tmp_path / f"{name}.npy").unlink()
    with pytest.raises(ArtifactError, match=rf"{name}\.npy"):
        NeighborTable.open(tmp_path)


def test_shapes_that_disagree_are_refused(tmp_path: Path):
    made().save(tmp_path)
    np.save(tmp_path / "scores.npy", np.zeros((2, 3), dtype=np.float32))
    with pytest.raises(ArtifactError, match="differ"):
        NeighborTable.open(tmp_path)
