import numpy as np
import pytest

from artifacts.arrays import FloatMatrix, IntVector
from trainer.ranking import Cases, rank_cases

ITEMS = 40
MEGABYTE = 1 << 20


class TableScorer:
    """Scores from a matrix, so that a test decides every one of them."""

    name = "table"

    def __init__(self, rows: IntVector, matrix: FloatMatrix) -> None:
        self.rows = rows
        self._matrix = matrix

    def scores(self, queries: IntVector) -> FloatMatrix:
        return self._matrix[np.searchsorted(self.rows, queries)].copy()


def made_scorer(seed: int = 0) -> TableScorer:
    """Coarse scores with many ties, some of them -inf, for items that are not all known."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(ITEMS, 30, replace=False)).astype(np.int32)
    matrix = rng.integers(0, 6, (30, 30)).astype(np.float32)
    matrix[rng.random((30, 30)) < 0.2] = -np.inf
    return TableScorer(rows, matrix)


def made_cases(n: int = 300, seed: int = 1) -> Cases:
    rng = np.random.default_rng(seed)
    queries, targets = rng.integers(0, ITEMS, (2, n)).astype(np.int32)
    return Cases(queries, targets)


def naive_rank(scorer: TableScorer, query: int, target: int) -> int:
    known = list(scorer.rows)
    if query not in known or target not in known or query == target:
        return 0
    scores = dict(zip(known, scorer.scores(np.array([query], np.int32))[0], strict=True))
    if scores[target] == -np.inf:
        return 0
    others = [item for item in known if item not in (query, target)]
    return 1 + sum(scores[item] >= scores[target] for item in others)


def naive_list(scorer: TableScorer, query: int, k: int) -> list[int]:
    scores = scorer.scores(np.array([query], np.int32))[0]
    known = [
        (-score, item)
        for item, score in zip(scorer.rows, scores, strict=True)
        if item != query and score > -np.inf
    ]
    return [int(item) for _, item in sorted(known)[:k]]


@pytest.mark.parametrize("block_bytes", [1, 500, MEGABYTE], ids=["one query", "few", "all"])
def test_ranks_are_those_of_a_loop_over_sessions(block_bytes):
    scorer, cases = made_scorer(), made_cases()
    ranking = rank_cases(scorer, cases, k=5, block_bytes=block_bytes)
    pairs = zip(cases.queries, cases.targets, strict=True)
    expected = [naive_rank(scorer, int(query), int(target)) for query, target in pairs]
    np.testing.assert_array_equal(ranking.ranks, expected)
    assert len(set(expected)) > 10


@pytest.mark.parametrize("k", [1, 5, 29, 100])
def test_listed_items_are_those_of_all_lists(k):
    scorer, cases = made_scorer(), made_cases(40)
    ranking = rank_cases(scorer, cases, k=k, block_bytes=500)
    known = {int(query) for query in cases.queries if query in scorer.rows}
    expected = sorted({item for query in known for item in naive_list(scorer, query, k)})
    np.testing.assert_array_equal(ranking.listed, expected)


def test_a_method_that_cannot_tell_items_apart_gains_nothing():
    rows = np.arange(30, dtype=np.int32)
    scorer = TableScorer(rows, np.ones((30, 30), dtype=np.float32))
    ranking = rank_cases(scorer, Cases(rows[:10], rows[10:20]), k=25, block_bytes=MEGABYTE)
    assert set(ranking.ranks) == {29}
    assert not ranking.reciprocal(25).any()


def test_reciprocal_ranks_and_hits_end_at_k():
    scorer, cases = made_scorer(), made_cases()
    ranking = rank_cases(scorer, cases, k=3, block_bytes=MEGABYTE)
    expected = [1 / rank if 1 <= rank <= 3 else 0 for rank in ranking.ranks]
    np.testing.assert_allclose(ranking.reciprocal(3), expected)
    np.testing.assert_array_equal(ranking.hits(3), np.array(expected) > 0)


def test_every_different_known_query_is_a_step():
    scorer, cases = made_scorer(), made_cases()
    steps: list[int] = []
    rank_cases(scorer, cases, k=3, block_bytes=500, step=steps.append)
    assert sum(steps) == len(set(cases.queries) & set(scorer.rows))
    assert max(steps) <= 500 // (4 * len(scorer.rows))


@pytest.mark.parametrize("rows", [[], [39]], ids=["no candidate", "no known query"])
def test_method_that_knows_nothing_scores_nothing(rows):
    scorer = TableScorer(np.array(rows, np.int32), np.ones((len(rows), len(rows)), np.float32))
    cases = Cases(np.array([1, 2], np.int32), np.array([3, 4], np.int32))
    ranking = rank_cases(scorer, cases, k=3, block_bytes=MEGABYTE)
    assert list(ranking.ranks) == [0, 0]
    assert len(ranking.listed) == 0
