"""Metrics against pytrec_eval, the reference implementation of NIST's trec_eval."""

import numpy as np
import pytest
import pytrec_eval

from trainer.ranking import Cases, rank_cases

ITEMS, QUERIES, K = 60, 60, 20


class UntiedScorer:
    """Different scores for every pair, a fifth of them missing."""

    name = "untied"
    rows = np.arange(ITEMS, dtype=np.int32)

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.matrix = rng.permutation(ITEMS * ITEMS).reshape(ITEMS, ITEMS).astype(np.float32)
        self.matrix[rng.random(self.matrix.shape) < 0.2] = -np.inf

    def scores(self, queries):
        return self.matrix[queries].copy()


@pytest.fixture(scope="module")
def measured():
    scorer = UntiedScorer()
    targets = np.random.default_rng(1).integers(0, ITEMS, QUERIES).astype(np.int32)
    cases = Cases(np.arange(QUERIES, dtype=np.int32), targets)
    run, truth = {}, {}
    for query, target in enumerate(targets):
        row = scorer.matrix[query]
        order = [item for item in np.argsort(-row) if row[item] > -np.inf and item != query][:K]
        run[str(query)] = {str(item): float(row[item]) for item in order}
        truth[str(query)] = {str(target): 1}
    metrics = {"recip_rank", f"ndcg_cut_{K}", f"success_{K}"}
    by_query = pytrec_eval.RelevanceEvaluator(truth, metrics).evaluate(run)
    ranking = rank_cases(scorer, cases, k=K, block_bytes=1 << 20)
    return ranking, [by_query[str(query)] for query in range(QUERIES)]


def test_reciprocal_ranks_agree(measured):
    ranking, expected = measured
    np.testing.assert_allclose(ranking.reciprocal(K), [one["recip_rank"] for one in expected])
    assert 0 < ranking.hits(K).sum() < QUERIES


def test_gains_agree(measured):
    ranking, expected = measured
    np.testing.assert_allclose(ranking.gains(K), [one[f"ndcg_cut_{K}"] for one in expected])


def test_hits_agree(measured):
    ranking, expected = measured
    np.testing.assert_array_equal(ranking.hits(K), [one[f"success_{K}"] for one in expected])
