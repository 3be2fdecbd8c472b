import numpy as np
import pytest

from artifacts.neighbors import Neighbors
from benchmarks.measure import recall_at_k, time_search


def neighbors(*lists: list[tuple[int, float]]) -> Neighbors:
    return Neighbors(
        rows=np.array([[row for row, _ in each] for each in lists], dtype=np.int32),
        scores=np.array([[score for _, score in each] for each in lists], dtype=np.float32),
    )


def test_recall_counts_the_true_neighbours_that_were_found():
    truth = neighbors([(1, 0.9), (2, 0.8)], [(3, 0.7), (4, 0.6)])
    found = neighbors([(1, 0.9), (5, 0.1)], [(3, 0.7), (4, 0.6)])
    assert recall_at_k(found, truth) == pytest.approx(3 / 4)


def test_recall_counts_a_tie_with_the_last_true_neighbour():
    truth = neighbors([(1, 0.9), (2, 0.8)])
    found = neighbors([(1, 0.9), (7, 0.8)])
    assert recall_at_k(found, truth) == 1.0


def test_recall_asks_for_no_more_than_there_is():
    truth = neighbors([(1, 0.9), (-1, -np.inf)])
    assert recall_at_k(truth, truth) == 1.0
    assert recall_at_k(neighbors([(-1, -np.inf), (-1, -np.inf)]), truth) == 0.0


def test_timing_passes_over_every_query_in_batches_once_more_than_it_measures():
    sizes: list[int] = []

    def search(queries, k):
        sizes.append(len(queries))
        return Neighbors.empty(len(queries), k)

    timing = time_search(search, np.zeros((5, 2), np.float32), 3, batch=2, repeats=2)
    assert sizes == [2, 2, 1] * 3
    assert 0 < timing.low_s <= timing.median_s <= timing.high_s
