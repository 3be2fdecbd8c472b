import numpy as np
import pytest

from artifacts.neighbors import NeighborTable
from retrieval.precomputed import PrecomputedLists


@pytest.fixture(params=["memory", "mapped"])
def lists(request, tmp_path):
    table = NeighborTable(
        positions=np.array([1, -1, 0], dtype=np.int32),
        rows=np.array([[0, 1, -1], [2, -1, -1]], dtype=np.int32),
        scores=np.array([[0.5, 0.25, -np.inf], [0.75, -np.inf, -np.inf]], dtype=np.float32),
    )
    if request.param == "mapped":
        table.save(tmp_path)
        table = NeighborTable.open(tmp_path)
    return PrecomputedLists(table)


@pytest.mark.parametrize(
    ("row", "k", "expected"),
    [
        (0, 3, ([2], [0.75])),
        (2, 1, ([0], [0.5])),
        (2, 2, ([0, 1], [0.5, 0.25])),
        (2, 99, ([0, 1], [0.5, 0.25])),
        (1, 3, None),
    ],
)
def test_head_is_the_list_without_padding(lists, row, k, expected):
    assert lists.head(row, k) == expected
