import pytest

from indexer.backends.faiss_ivf import cell_count
from indexer.config import FaissBuild, FaissConfig


@pytest.mark.parametrize(
    ("n", "cells"), [(1, 1), (38, 1), (78, 2), (6084, 156), (10_000, 200), (1_000_000, 2000)]
)
def test_cells_grow_with_the_square_root_and_hold_enough_vectors(n: int, cells: int):
    assert cell_count(n, FaissConfig()) == cells


@pytest.mark.parametrize(("n", "cells"), [(5, 5), (100, 64), (10**6, 64)])
def test_cells_asked_for_are_made_unless_there_are_fewer_vectors(n: int, cells: int):
    assert cell_count(n, FaissConfig(build=FaissBuild(nlist=64))) == cells
