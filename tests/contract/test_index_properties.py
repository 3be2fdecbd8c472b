"""Properties of every backend on vectors that nobody chose: ties, duplicates, zeros, extremes."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix
from artifacts.neighbors import Neighbors
from indexer.backends import build_index
from indexer.config import ExactConfig
from indexer.index import Index, Metric
from tests.index_cases import CASES, case_of
from tests.index_laws import assert_lawful, rounding

each_backend = pytest.mark.parametrize(
    "kind", [*CASES, pytest.param("milvus", marks=pytest.mark.extras)]
)
often = settings(derandomize=True, deadline=None, max_examples=12)


class Shop(NamedTuple):
    vectors: FloatMatrix
    asked: FloatMatrix


@st.composite
def shops(draw: st.DrawFn, most: int = 250) -> Shop:
    """Draw vectors of one of several kinds, and queries of which some are among them."""
    n, dim = draw(st.integers(1, most)), draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**31 - 1)))
    kind = draw(st.sampled_from(["few coordinates", "normal", "skewed", "one direction", "copies"]))
    if kind == "few coordinates":  # ties and zero rows abound
        vectors = rng.integers(-1, 2, (n, dim)).astype(np.float32)
    else:
        vectors = rng.standard_normal((n, dim)).astype(np.float32)
    if kind == "skewed":
        vectors *= np.exp(3 * rng.standard_normal((n, 1))).astype(np.float32)
    if kind == "one direction":
        vectors += np.float32(5)
    if kind == "copies":
        vectors = vectors[rng.integers(0, max(n // 10, 1), n)]
    others = rng.standard_normal((2, dim)).astype(np.float32)
    return Shop(np.ascontiguousarray(vectors), np.vstack([vectors[rng.integers(0, n, 3)], others]))


metrics = st.sampled_from(list(Metric))


def built(kind: str, metric: Metric, vectors: FloatMatrix, *, full: bool = False) -> Index:
    case = case_of(kind)
    return build_index(vectors, metric, case.full if full else case.usual, seed=5, threads=1)


def exact(metric: Metric, shop: Shop, k: int) -> Neighbors:
    index = build_index(shop.vectors, metric, ExactConfig(), seed=0, threads=1)
    return index.search(shop.asked, k)


def assert_same_scores(found: Neighbors, truth: Neighbors, slack: NDArray[np.float64]) -> None:
    """Compare scores: which of several rows that tie is found, an engine's rounding decides."""
    for ours, theirs, off in zip(found.scores, truth.scores, slack, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=off)


@each_backend
@often
@given(shop=shops(), metric=metrics, k=st.integers(1, 60))
def test_answers_are_lawful_whatever_the_effort(kind: str, shop: Shop, metric: Metric, k: int):
    answer = built(kind, metric, shop.vectors).search(shop.asked, k)
    assert answer.rows.shape == (len(shop.asked), k)
    assert_lawful(answer, shop.vectors, shop.asked, metric)
    best, slack = exact(metric, shop, 1).scores, rounding(shop.vectors, shop.asked, metric)
    assert np.all(answer.scores <= best + 2 * slack[:, np.newaxis])


@each_backend
@often
@given(shop=shops(), metric=metrics, k=st.integers(1, 300))
def test_full_effort_scores_as_exact_search(kind: str, shop: Shop, metric: Metric, k: int):
    answer = built(kind, metric, shop.vectors, full=True).search(shop.asked, k)
    assert_lawful(answer, shop.vectors, shop.asked, metric)
    slack = rounding(shop.vectors, shop.asked, metric)
    assert_same_scores(answer, exact(metric, shop, k), slack)


@each_backend
@often
@given(shop=shops(), metric=metrics, k=st.integers(1, 20))
def test_longer_lists_begin_as_shorter_ones(kind: str, shop: Shop, metric: Metric, k: int):
    index = built(kind, metric, shop.vectors, full=True)
    short, long = index.search(shop.asked, k), index.search(shop.asked, k + 7)
    np.testing.assert_array_equal(short.scores, long.scores[:, :k])


@each_backend
@often
@given(shop=shops(), metric=metrics, k=st.integers(1, 20))
def test_queries_are_answered_alike_alone_and_together(
    kind: str, shop: Shop, metric: Metric, k: int
):
    index = built(kind, metric, shop.vectors, full=True)
    together = index.search(shop.asked, k)
    for place, query in enumerate(shop.asked):
        alone = index.search(query[np.newaxis], k)
        np.testing.assert_array_equal(alone.scores[0], together.scores[place])


@each_backend
@often
@given(shop=shops(), power=st.integers(-20, 20))
def test_cosine_does_not_know_how_long_vectors_are(kind: str, shop: Shop, power: int):
    factor = np.float32(2.0**power)  # rounds nothing
    usual = built(kind, Metric.COSINE, shop.vectors).search(shop.asked, 5)
    scaled = built(kind, Metric.COSINE, shop.vectors * factor).search(shop.asked / factor, 5)
    np.testing.assert_allclose(scaled.scores, usual.scores, rtol=1e-5, atol=1e-5)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(sorted(CASES)),
    metric=st.sampled_from(list(Metric)),
    n=st.integers(1, 60),
    dim=st.integers(1, 9),
    k=st.integers(1, 70),
    seed=st.integers(0, 2**31 - 1),
)
@example(kind="annoy", metric=Metric.COSINE, n=23, dim=2, k=3, seed=17)
def test_small_indices_at_full_effort_score_as_exact_ones(kind, metric, n, dim, k, seed):
    # Few distinct coordinates, so that ties, duplicates and zero rows abound.
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-1, 2, (n, dim)).astype(np.float32)
    asked = rng.integers(-1, 2, (3, dim)).astype(np.float32)
    answer = built(kind, metric, vectors, full=True).search(asked, k)
    truth = built("exact", metric, vectors).search(asked, k)
    assert_lawful(answer, vectors, asked, metric)
    # Where more rows tie than an engine is asked for beyond k, its own rounding chooses among them,
    # so the last bits may differ here; without such ties all bits are equal, as shown above.
    np.testing.assert_allclose(answer.scores, truth.scores, rtol=1e-6, atol=1e-6)
