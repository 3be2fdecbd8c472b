import math

import numpy as np
import pytest

from artifacts.ranking_table import RankingTable
from tests.made_ranking import SCHEMA, made_table
from trainer.list_gains import UNLISTED, ListLengths, ideal_gains, value_lists

GAINS = (0.0, 1.0, 3.0)


def by_hand(labels: list[list[int]], missed: list[tuple[int, int]]) -> RankingTable:
    sizes = [len(each) for each in labels]
    n = sum(sizes)
    return RankingTable(
        features=np.zeros((n, 3), dtype=np.float32),
        labels=np.array([label for each in labels for label in each], dtype=np.int8),
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        rows=np.arange(n, dtype=np.int32),
        ranks=np.zeros((n, 2), dtype=np.int16),
        missed=np.array(missed, dtype=np.int16),
        when=np.arange(len(labels), dtype=np.int64),
        schema=SCHEMA,
    )


def log2(rank: int) -> float:
    return math.log2(rank + 1)


def test_values_are_those_computed_by_hand():
    table = by_hand([[0, 2, 0, 1], [1, 0]], [(0, 0), (0, 0)])
    scores = np.array([4.0, 3.0, 2.0, 1.0, 0.5, 0.6])
    values = value_lists(table, scores, GAINS, ListLengths(10, 10))
    ideal = 3 / log2(1) + 1 / log2(2)
    assert values.ndcg == pytest.approx([(3 / log2(2) + 1 / log2(4)) / ideal, 1 / log2(2)])
    assert values.reciprocal == pytest.approx([1 / 2, 1 / 2])
    assert values.hits.tolist() == [1, 1]


def test_what_lies_beyond_the_list_counts_nothing():
    table = by_hand([[0, 0, 1]], [(0, 0)])
    scores = np.array([3.0, 2.0, 1.0])
    values = value_lists(table, scores, GAINS, ListLengths(2, 2))
    assert (values.ndcg[0], values.reciprocal[0], values.hits[0]) == (0, 0, 0)
    further = value_lists(table, scores, GAINS, ListLengths(2, 3))
    assert (further.ndcg[0], further.reciprocal[0], further.hits[0]) == (0, pytest.approx(1 / 3), 1)


def test_what_no_list_holds_belongs_to_the_ideal_order():
    table = by_hand([[1]], [(0, 1)])
    values = value_lists(table, np.zeros(1), GAINS, ListLengths(10, 10))
    assert values.ndcg == pytest.approx([1 / (3 + 1 / log2(2))])
    assert ideal_gains(table, GAINS, 10, missed=False) == pytest.approx([1])


def test_a_context_without_a_hit_counts_nothing():
    table = by_hand([[0, 0], []], [(1, 0), (1, 0)])
    values = value_lists(table, np.zeros(2), GAINS, ListLengths(10, 10))
    assert values.ndcg.tolist() == values.reciprocal.tolist() == values.hits.tolist() == [0, 0]


def test_a_candidate_that_is_left_out_stands_nowhere():
    table = by_hand([[1, 0]], [(0, 0)])
    values = value_lists(table, np.array([UNLISTED, UNLISTED]), GAINS, ListLengths(10, 10))
    assert values.hits.tolist() == [0]


def test_of_equal_scores_the_earlier_place_is_first():
    for labels, rank in (([1, 0, 0], 1), ([0, 0, 1], 3)):
        table = by_hand([labels], [(0, 0)])
        values = value_lists(table, np.zeros(3), GAINS, ListLengths(10, 10))
        assert values.reciprocal == pytest.approx([1 / rank])


@pytest.mark.parametrize("seed", range(3))
def test_values_are_those_of_sorted_lists(seed):
    table = made_table(60, seed=seed, grades=2, missed=1)
    rng = np.random.default_rng(seed)
    scores = np.where(
        rng.random(len(table.rows)) < 0.1, UNLISTED, rng.integers(4, size=len(table.rows))
    )
    values = value_lists(table, scores, GAINS, ListLengths(3, 5))
    for context in range(len(table)):
        own = range(table.offsets[context], table.offsets[context + 1])
        listed = sorted((i for i in own if scores[i] > UNLISTED), key=lambda i: (-scores[i], i))
        wanted = [int(table.labels[i]) for i in listed]
        everything = [int(table.labels[i]) for i in own]
        for grade, count in enumerate(table.missed[context], 1):
            everything += [grade] * int(count)
        gained, ideal = (
            sum(GAINS[label] / log2(rank) for rank, label in enumerate(labels[:3], 1))
            for labels in (wanted, sorted(everything, reverse=True))
        )
        assert values.ndcg[context] == pytest.approx(gained / ideal if ideal else 0)
        first = next((rank for rank, label in enumerate(wanted[:5], 1) if label), math.inf)
        assert values.reciprocal[context] == pytest.approx(1 / first)
        assert values.hits[context] == (first < math.inf)
