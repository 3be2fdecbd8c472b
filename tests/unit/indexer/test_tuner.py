from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count

import numpy as np
import pytest

from artifacts.accuracy import Accuracy
from artifacts.arrays import FloatMatrix
from indexer.backends import build_index, with_search
from indexer.config import AnnoyConfig, ExactConfig, FaissConfig, SimHashConfig
from indexer.index import Metric
from indexer.target_config import EngineName, TargetConfig
from indexer.tuning import Clocks, Question, Tuned, TuningTask, first_look, tune
from indexer.tuning.families import families
from tests.clusters import clustered

N = 2000


def ticking(step: float = 1.0) -> Clocks:
    """Return clocks that advance by `step` seconds whenever they are looked at."""
    ticks = count()

    def clock() -> float:
        return step * next(ticks)

    return Clocks(clock, clock)


def question(metric: Metric = Metric.COSINE, n: int = N) -> Question:
    return Question(
        clustered(n, seed=1, skew=0.3), clustered(n, seed=2), np.arange(n, dtype=np.int32), metric
    )


def tuned(
    target: TargetConfig, clocks: Clocks | None = None, metric: Metric = Metric.COSINE, n: int = N
) -> Tuned:
    return tune(TuningTask(question(metric, n), target, 1, 1, clocks or ticking(1e-4)))


def recall_of(found: Tuned, level: Accuracy = Accuracy.BALANCED) -> float:
    """Return recall@10 for queries that the tuner has not seen, by sorting all scores."""
    queries = clustered(300, seed=9)
    index = with_search(found.index, found.levels[level]) if found.levels else found.index
    exact = build_index(question().vectors, Metric.COSINE, ExactConfig(), seed=0, threads=1)
    truth = exact.search(queries, 10).rows
    answer = index.search(queries, 10).rows
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(truth, answer, strict=True)]))


@pytest.mark.parametrize("engine", ["annoy", "faiss", "simhash"])
def test_recall_is_kept_on_queries_that_were_not_sampled(engine: EngineName):
    wanted = 0.9
    found = tuned(TargetConfig(recall=wanted, engines=(engine,), queries=400))
    assert found.config.kind == engine
    assert found.report.reached
    assert found.report.chosen.recall >= wanted
    assert recall_of(found) >= wanted - 0.03


@pytest.mark.parametrize("engine", ["faiss", "simhash"])
def test_levels_rise(engine: EngineName):
    found = tuned(TargetConfig(recall=0.9, engines=(engine,), queries=300))
    fast, balanced, accurate = (found.report.levels[level].recall for level in Accuracy)
    assert 0.8 <= fast <= balanced <= accurate
    assert accurate >= 0.97
    assert recall_of(found, Accuracy.FAST) <= recall_of(found, Accuracy.ACCURATE)


def test_settings_are_those_of_the_index_and_of_the_report():
    found = tuned(TargetConfig(recall=0.9, engines=("faiss",), queries=200))
    assert isinstance(found.config, FaissConfig)
    assert found.report.chosen.backend == found.config
    assert found.levels[Accuracy.BALANCED] == found.config.search
    assert found.report.chosen in found.report.trials or len(found.report.trials) > 1
    assert len(found.index) == N
    assert "fastest at recall@10" in found.report.why


def test_exact_search_has_no_levels():
    found = tuned(TargetConfig(recall=1, engines=("exact",)))
    assert found.config == ExactConfig()
    assert found.levels == {}
    assert found.report.levels == {}
    assert found.report.reached


def test_time_to_spare_is_spent_on_recall():
    found = tuned(TargetConfig(latency_ms=1e9, engines=("simhash", "faiss"), queries=100))
    assert found.report.chosen.recall == 1.0
    assert "within 1e+09 ms" in found.report.why


def test_time_that_nothing_keeps_is_said_to_be_missed():
    found = tuned(TargetConfig(latency_ms=1e-6, engines=("faiss",), queries=100), ticking(1.0))
    assert not found.report.reached
    assert "none reaches the target" in found.report.why


@pytest.mark.parametrize(
    ("memory_mb", "kinds"), [(0.2, {"exact"}), (100, {"exact", "simhash", "faiss"})]
)
def test_memory_rules_out_what_is_too_large(memory_mb: float, kinds: set[str]):
    found = tuned(TargetConfig(recall=0.9, memory_mb=memory_mb, queries=100))
    fitting = {
        trial.backend.kind for trial in found.report.trials if (trial.size_mb or 0) <= memory_mb
    }
    assert fitting == kinds
    assert found.config.kind in kinds
    assert found.report.reached


def test_no_build_begins_when_time_is_up_but_the_first():
    target = TargetConfig(recall=0.9, engines=("simhash", "faiss"), queries=50, time_s=1e-3)
    found = tuned(target, ticking(1.0))
    assert found.config.kind == "simhash"
    assert len(found.report.trials) == 1
    assert [line.split()[:2] for line in found.report.passed_over] == [
        ["faiss", "cells"],
        ["faiss", "codes"],
        ["faiss", "graph"],
        ["simhash", "{'kind':"],  # its other build
    ]


def test_many_vectors_are_looked_at_by_a_sample_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(first_look, "ROWS", 600)
    found = tuned(TargetConfig(recall=0.9, queries=100), ticking(1e-5))
    sizes = [trial.vectors for trial in found.report.trials]
    assert set(sizes[:5]) == {600}
    assert set(sizes[5:]) == {N}
    assert len(found.index) == N
    assert len(found.report.passed_over) >= 2


@pytest.mark.parametrize("n", [1, 2, 11, 40])
def test_few_vectors_are_tuned_too(n: int):
    found = tuned(TargetConfig(recall=0.95), n=n)
    assert len(found.index) == n
    assert found.report.reached


def test_inner_products_are_tuned_by_the_vectors_that_ask():
    target = TargetConfig(recall=0.9, engines=("faiss",), queries=200)
    found = tuned(target, metric=Metric.INNER_PRODUCT)
    assert found.report.chosen.recall >= 0.9


def test_equal_measurements_choose_equally():
    target = TargetConfig(recall=0.9, engines=("faiss", "simhash"), queries=100)
    first, second = tuned(target), tuned(target)
    assert first.report == second.report
    assert first.levels == second.levels


ALL: Sequence[EngineName] = ("exact", "annoy", "faiss", "simhash")


@pytest.mark.parametrize("n", [1, 50, 100_000])
def test_searches_of_a_line_rise_and_fit_their_build(n: int):
    for family in families(ALL, n):
        for variant in (family, *chain.from_iterable(family.variants)):
            for line in variant.lines:
                assert line
                for search in line if search_half(variant.config) else ():
                    assert type(search) is search_half(variant.config)
                assert variant.name == family.name


def search_half(config: object) -> type | None:
    if isinstance(config, AnnoyConfig | FaissConfig | SimHashConfig):
        return type(config.search)
    return None


def test_a_sample_of_a_question_keeps_vectors_beside_what_they_ask_with():
    whole = replace(question(), places=np.arange(N, dtype=np.int32)[::-1].copy())
    part = whole.sample(100, np.random.default_rng(1))
    for vector, place in zip(part.vectors, part.places, strict=True):
        (where,) = np.flatnonzero((whole.vectors == vector).all(axis=1))
        assert whole.places[where] == place


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((1500, 8), dtype=np.float32),
        np.repeat(clustered(3, 8), 500, axis=0),
        np.linspace(-1, 1, 1500, dtype=np.float32)[:, np.newaxis],
    ],
    ids=["zeros", "copies", "one dimension"],
)
def test_vectors_that_hardly_differ_are_tuned_too(vectors: FloatMatrix):
    n = len(vectors)
    asked = Question(vectors, vectors, np.arange(n, dtype=np.int32), Metric.COSINE)
    found = tune(TuningTask(asked, TargetConfig(recall=0.95, queries=100), 1, 1, ticking(1e-4)))
    assert found.report.reached
    assert len(found.index) == n
