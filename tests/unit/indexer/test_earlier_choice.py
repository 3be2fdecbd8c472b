import numpy as np
import pytest

from indexer.config import (
    AnnoyBuild,
    AnnoyConfig,
    BackendConfig,
    FaissBuild,
    FaissConfig,
    SimHashBuild,
    SimHashConfig,
)
from indexer.index import Metric
from indexer.target_config import TargetConfig
from indexer.tuning import MACHINE_CLOCKS, EarlierChoice, Question, TuningReport, TuningTask, tune
from indexer.tuning.families import families
from indexer.tuning.report import Compared
from tests.clusters import clustered

N = 2000


def chosen(backend: BackendConfig, n: int = N, query_us: float = 1e6) -> EarlierChoice:
    return EarlierChoice(backend, Compared(vectors=n, query_us=query_us))


def faiss(factory: str) -> FaissConfig:
    return FaissConfig(build=FaissBuild(factory=factory))


def task(before: EarlierChoice | None) -> TuningTask:
    vectors = clustered(N)
    question = Question(vectors, vectors, np.arange(N, dtype=np.int32), Metric.COSINE)
    target = TargetConfig(recall=0.9, engines=("annoy", "faiss"), queries=200)
    return TuningTask(question, target, 1, 1, MACHINE_CLOCKS, before=before)


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        (faiss("IVF37,Flat"), "faiss cells"),
        (faiss("IVF37,RaBitQ"), None),
        (faiss("IVF37,PQx4fs,RFlat"), "faiss codes"),
        (faiss("HNSW32"), "faiss graph"),
        (AnnoyConfig(build=AnnoyBuild(n_trees=50)), "annoy"),
        (SimHashConfig(build=SimHashBuild(bits=256)), "simhash"),
    ],
)
def test_a_choice_is_searched_as_its_kind_is(backend: BackendConfig, name: str | None):
    family = chosen(backend).family(families(("annoy", "faiss", "simhash"), N))
    if family is None:
        assert name is None
    else:
        assert family.name == name
        assert family.config == backend


def test_what_may_not_be_built_any_more_is_not_kept():
    assert chosen(faiss("HNSW32")).family(families(("annoy",), N)) is None


@pytest.mark.parametrize(("n", "holds"), [(1601, True), (2499, True), (1599, False), (2501, False)])
def test_kinds_are_compared_again_after_a_quarter_of_growth(n: int, holds: bool):
    assert chosen(faiss("HNSW32")).holds_for(n) is holds


def test_a_choice_that_reaches_the_target_is_kept_uncompared():
    before = chosen(faiss("IVF20,Flat"), N - 50)
    kept = tune(task(before)).report
    assert [trial.backend for trial in kept.trials] == [kept.chosen.backend]
    assert kept.compared == before.compared
    assert kept.chosen.recall >= 0.9
    assert EarlierChoice.of(kept) == EarlierChoice(kept.chosen.backend, before.compared)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(chosen(faiss("IVF20,Flat"), query_us=1e-3), id="slower than it was"),
        pytest.param(chosen(faiss("IVF20,Flat"), N // 2), id="made for fewer vectors"),
        pytest.param(chosen(SimHashConfig()), id="not to be chosen from"),
    ],
)
def test_other_choices_are_compared(before: EarlierChoice):
    found = tune(task(before)).report
    assert len(found.trials) > 1
    assert found.compared is None


def test_what_missed_its_target_is_no_choice():
    report: TuningReport = tune(task(None)).report
    assert EarlierChoice.of(report) is not None
    assert EarlierChoice.of(report.model_copy(update={"reached": False})) is None
