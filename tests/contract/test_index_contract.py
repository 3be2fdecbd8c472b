"""Every backend and both metrics against every rule of `indexer.index.Index`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artifacts.arrays import FloatMatrix
from artifacts.errors import ConfigError, DataError
from artifacts.neighbors import Neighbors
from indexer.backends import build_index, load_index
from indexer.config import AnnoySearch, FaissSearch, SearchConfig, SimHashSearch
from indexer.index import Index, Metric
from tests.clusters import clustered
from tests.index_cases import CASES, DIM, N, case_of
from tests.index_laws import assert_lawful, plain_scores

each_backend = pytest.mark.parametrize(
    "kind", [*CASES, pytest.param("milvus", marks=pytest.mark.extras)]
)
each_metric = pytest.mark.parametrize("metric", Metric)


@cache
def base() -> FloatMatrix:
    return clustered(N, DIM, skew=0.3, seed=1)


@cache
def queries() -> FloatMatrix:
    return clustered(50, DIM, seed=2)


def build(kind: str, metric: Metric, vectors: FloatMatrix, *, full: bool = False) -> Index:
    config = case_of(kind).full if full else case_of(kind).usual
    return build_index(vectors, metric, config, seed=5, threads=1)


@cache
def built(kind: str, metric: Metric, *, full: bool = False) -> Index:
    return build(kind, metric, base(), full=full)


def recall(answer: Neighbors, truth: Neighbors) -> float:
    pairs = zip(answer.rows, truth.rows, strict=True)
    return float(np.mean([np.isin(true, found).mean() for found, true in pairs]))


@each_metric
def test_exact_search_equals_sorting_all_scores(metric: Metric):
    answer = built("exact", metric).search(queries(), 10)
    truth = plain_scores(base(), queries(), metric)
    np.testing.assert_array_equal(answer.rows, np.argsort(-truth, axis=1, kind="stable")[:, :10])


@each_metric
def test_exact_search_does_not_depend_on_how_many_queries_come_together(metric: Metric):
    index = built("exact", metric)
    together = index.search(queries(), 10)
    for i, query in enumerate(queries()):
        alone = index.search(query[np.newaxis], 10)
        np.testing.assert_array_equal(alone.rows[0], together.rows[i])
        np.testing.assert_array_equal(alone.scores[0], together.scores[i])


@each_backend
@each_metric
@pytest.mark.parametrize("k", [1, 10, 100])
def test_answers_are_lawful(kind: str, metric: Metric, k: int):
    answer = built(kind, metric).search(queries(), k)
    assert answer.rows.shape == answer.scores.shape == (len(queries()), k)
    assert_lawful(answer, base(), queries(), metric)


@each_backend
@each_metric
def test_index_knows_its_size(kind: str, metric: Metric):
    index = built(kind, metric)
    assert (len(index), index.dim) == (N, DIM)


@each_backend
@each_metric
def test_recall_stays_above_its_floor(kind: str, metric: Metric):
    truth = built("exact", metric).search(queries(), 10)
    assert recall(built(kind, metric).search(queries(), 10), truth) >= case_of(kind).floor(metric)


@each_backend
@each_metric
@pytest.mark.parametrize("k", [1, 10, 200])
def test_full_effort_equals_exact(kind: str, metric: Metric, k: int):
    answer = built(kind, metric, full=True).search(queries(), k)
    truth = built("exact", metric).search(queries(), k)
    np.testing.assert_array_equal(answer.rows, truth.rows)
    np.testing.assert_array_equal(answer.scores, truth.scores)


@each_backend
@each_metric
def test_k_beyond_the_size_pads_with_minus_one_and_minus_infinity(kind: str, metric: Metric):
    vectors = base()[:30]
    answer = build(kind, metric, vectors, full=True).search(queries()[:6], 50)
    assert np.all(answer.rows[:, 30:] == -1)
    assert np.all(answer.scores[:, 30:] == -np.inf)
    assert np.all(np.sort(answer.rows[:, :30], axis=1) == np.arange(30))
    assert_lawful(answer, vectors, queries()[:6], metric)


@each_backend
@each_metric
def test_index_of_one_vector_answers(kind: str, metric: Metric):
    answer = build(kind, metric, base()[:1]).search(queries()[:3], 2)
    assert answer.rows.tolist() == [[0, -1]] * 3
    assert_lawful(answer, base()[:1], queries()[:3], metric)


@each_backend
@each_metric
def test_index_of_one_dimension_answers(kind: str, metric: Metric):
    vectors = np.linspace(-1, 1, 40, dtype=np.float32)[:, np.newaxis]
    asked = np.array([[2.0], [-0.5]], dtype=np.float32)
    assert_lawful(build(kind, metric, vectors).search(asked, 5), vectors, asked, metric)


@each_backend
@each_metric
def test_no_query_gets_no_answer(kind: str, metric: Metric):
    answer = built(kind, metric).search(queries()[:0], 7)
    assert answer.rows.shape == answer.scores.shape == (0, 7)


@each_backend
@each_metric
def test_zero_vectors_score_zero(kind: str, metric: Metric):
    vectors = np.vstack([base()[:60], np.zeros((5, DIM), dtype=np.float32)])
    index = build(kind, metric, vectors, full=True)
    answer = index.search(queries()[:5], 65)
    zeros = answer.scores[(answer.rows >= 60)]
    assert len(zeros) == 25
    assert np.all(zeros == 0)
    assert_lawful(answer, vectors, queries()[:5], metric)


@each_backend
@each_metric
def test_nothing_but_zero_vectors_is_searched_in_row_order(kind: str, metric: Metric):
    index = build(kind, metric, np.zeros((20, DIM), dtype=np.float32), full=True)
    answer = index.search(queries()[:2], 20)
    np.testing.assert_array_equal(answer.rows, [range(20)] * 2)
    assert np.all(answer.scores == 0)


@each_backend
@each_metric
def test_zero_query_scores_zero_with_everything(kind: str, metric: Metric):
    zero = np.zeros((1, DIM), dtype=np.float32)
    answer = built(kind, metric).search(zero, 10)
    assert np.all(answer.scores == 0)
    assert_lawful(answer, base(), zero, metric)


@each_backend
@each_metric
def test_duplicates_by_the_hundred_are_all_found_by_row(kind: str, metric: Metric):
    vectors = np.vstack([base()[:200], np.repeat(base()[7:8], 300, axis=0)])
    copies = [7, *range(200, 500)]
    index = build(kind, metric, vectors, full=True)
    answer = index.search(base()[7:8], 301)
    assert_lawful(answer, vectors, base()[7:8], metric)
    if metric is Metric.COSINE:
        np.testing.assert_array_equal(answer.rows[0], copies)
    assert set(copies) <= set(index.search(base()[7:8], 500).rows[0].tolist())


@each_metric
@pytest.mark.parametrize("together", [1, 6])
def test_exact_breaks_ties_by_row_when_k_cuts_through_duplicates(metric: Metric, together: int):
    vectors = np.repeat(base()[:3], 400, axis=0)
    asked = np.repeat(base()[1:2], together, axis=0)
    answer = build("exact", metric, vectors).search(asked, 7)
    truth = plain_scores(base()[:3], asked, metric)
    first = 400 * np.argmax(truth, axis=1)[:, np.newaxis]
    np.testing.assert_array_equal(answer.rows, first + np.arange(7))


@each_backend
def test_cosine_never_leaves_its_range_and_ignores_lengths(kind: str):
    index = built(kind, Metric.COSINE)
    answer = index.search(base()[:100], 10)
    assert np.all(np.abs(answer.scores) <= 1)
    np.testing.assert_array_equal(answer.rows[:, 0], np.arange(100))
    halved = index.search(base()[:100] * np.float32(0.5), 10)  # a power of two rounds nothing
    np.testing.assert_array_equal(halved.rows, answer.rows)


def nan_query() -> FloatMatrix:
    bad = queries().copy()
    bad[3, 5] = np.nan
    return bad


def infinite_query() -> FloatMatrix:
    bad = queries().copy()
    bad[4, 0] = np.inf
    return bad


BAD_QUERIES: dict[str, tuple[Callable[[], Any], str]] = {
    "nan": (nan_query, "row 3"),
    "infinite": (infinite_query, "row 4"),
    "float64": (lambda: queries().astype(np.float64), "float64"),
    "transposed": (lambda: np.ascontiguousarray(queries().T).T, "transposed"),
    "wide": (lambda: np.zeros((2, DIM + 1), dtype=np.float32), f"{DIM + 1}"),
    "flat": (lambda: np.zeros(DIM, dtype=np.float32), "1 dimension"),
}


@each_backend
@each_metric
@pytest.mark.parametrize("fault", BAD_QUERIES)
def test_queries_that_break_the_rules_are_refused(kind: str, metric: Metric, fault: str):
    make, words = BAD_QUERIES[fault]
    with pytest.raises(DataError, match=words):
        built(kind, metric).search(make(), 5)


@each_backend
@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(kind: str, k: int):
    with pytest.raises(DataError, match="at least 1"):
        built(kind, Metric.COSINE).search(queries(), k)


@each_backend
@pytest.mark.parametrize(
    "vectors",
    [nan_query(), queries().astype(np.float64), queries().T, np.zeros((0, 4), dtype=np.float32)],
    ids=["nan", "float64", "transposed", "empty"],
)
def test_vectors_that_break_the_rules_are_refused(kind: str, vectors: FloatMatrix):
    with pytest.raises(DataError):
        build(kind, Metric.COSINE, vectors)


@each_backend
@each_metric
def test_building_leaves_the_vectors_as_they_were(kind: str, metric: Metric):
    vectors = base()[:100].copy()
    build(kind, metric, vectors)
    np.testing.assert_array_equal(vectors, base()[:100])
    assert vectors.flags.writeable


@each_backend
@each_metric
def test_loaded_index_answers_as_the_saved_one(kind: str, metric: Metric, tmp_path: Path):
    index = build(kind, metric, base()[:500])
    before = index.search(queries(), 10)
    index.save(tmp_path / "index")
    loaded = load_index(tmp_path / "index")
    assert (len(loaded), loaded.dim) == (500, DIM)
    for answer in (loaded.search(queries(), 10), index.search(queries(), 10)):
        np.testing.assert_array_equal(answer.rows, before.rows)
        np.testing.assert_array_equal(answer.scores, before.scores)


@each_backend
@each_metric
def test_loaded_index_can_be_saved_again(kind: str, metric: Metric, tmp_path: Path):
    build(kind, metric, base()[:300]).save(tmp_path / "first")
    load_index(tmp_path / "first").save(tmp_path / "second")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


@each_backend
@each_metric
def test_building_twice_with_one_thread_gives_the_same_bytes(
    kind: str, metric: Metric, tmp_path: Path
):
    for name in ("first", "second"):
        build(kind, metric, base()[:1000]).save(tmp_path / name)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@each_backend
@each_metric
def test_building_with_two_threads_keeps_recall(kind: str, metric: Metric):
    index = build_index(base(), metric, case_of(kind).usual, seed=5, threads=2)
    truth = built("exact", metric).search(queries(), 10)
    assert recall(index.search(queries(), 10), truth) >= case_of(kind).floor(metric)


@each_backend
@each_metric
def test_searching_from_four_threads_equals_searching_from_one(kind: str, metric: Metric):
    index = built(kind, metric)
    blocks = [queries()[start : start + 5] for start in range(0, 50, 5)] * 8
    serial = [index.search(block, 10) for block in blocks]
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(lambda block: index.search(block, 10), blocks))
    for one, other in zip(serial, parallel, strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_array_equal(one.scores, other.scores)


@pytest.mark.parametrize(
    ("kind", "weak", "strong"),
    [
        ("annoy", AnnoySearch(search_k=1), AnnoySearch(search_k=10**8)),
        ("faiss cells", FaissSearch(nprobe=1), FaissSearch(nprobe=10**6)),
        ("faiss codes", FaissSearch(nprobe=1), FaissSearch(nprobe=10**6, k_factor=N)),
        ("faiss graph", FaissSearch(ef_search=1), FaissSearch(ef_search=N)),
        ("faiss bits", FaissSearch(nprobe=1), FaissSearch(nprobe=10**6, k_factor=N)),
        ("simhash", SimHashSearch(probe=0.01), SimHashSearch(probe=1, candidates=10**9)),
    ],
)
def test_search_half_may_be_replaced_on_load(
    kind: str, weak: SearchConfig, strong: SearchConfig, tmp_path: Path
):
    built(kind, Metric.COSINE).save(tmp_path)
    truth = built("exact", Metric.COSINE).search(queries(), 10)
    weak_recall, strong_recall = (
        recall(load_index(tmp_path, search).search(queries(), 10), truth)
        for search in (weak, strong)
    )
    assert weak_recall < strong_recall == 1.0


@each_backend
def test_search_settings_of_another_backend_are_refused(kind: str, tmp_path: Path):
    build(kind, Metric.COSINE, base()[:50]).save(tmp_path)
    other = AnnoySearch() if kind != "annoy" else FaissSearch()
    with pytest.raises(ConfigError, match=case_of(kind).usual.kind):
        load_index(tmp_path, other)
