import os
import signal
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from sys import executable

import numpy as np
import pytest

from artifacts.errors import BackendUnavailableError, DataError, NotReadyError
from artifacts.progress import SilentProgress
from benchmarks import saturation
from benchmarks.compare import rates
from benchmarks.compare.child import Start, running
from benchmarks.compare.comparison import SUITE, Comparison, Measured, Pace
from benchmarks.compare.exam import Exam
from benchmarks.compare.peers import Peer, peers
from benchmarks.compare.rates import Rate, trial_of
from benchmarks.compare.shelfmate_server import ladder
from benchmarks.compare.table import comparison_table
from benchmarks.data import SearchData
from benchmarks.open_loop import LoadResult
from benchmarks.results import read_results
from benchmarks.search_record import Record
from indexer.index import Metric
from tests.clusters import clustered

GOLDEN = Path(__file__).parents[2] / "golden" / "results"
BY_NAME = {peer.name: peer for peer in peers("host=nowhere")}


@pytest.fixture(scope="module")
def data() -> SearchData:
    return SearchData.of("made", clustered(600, 16), clustered(60, 16, seed=1), Metric.COSINE)


@pytest.fixture
def exam(data: SearchData, tmp_path: Path) -> Exam:
    exam = Exam(tmp_path, k=5, recall=0.9, batches=(1, 10))
    exam.write(data)
    return exam


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Start(Path(executable), tmp_path, start_s=120)


def test_halves_of_the_queries_have_exact_answers_of_their_own(exam, data):
    asked, truth = (np.load(exam.folder / f"{name}.npy") for name in ("asked", "asked_truth"))
    base = np.load(exam.folder / "base.npy")
    np.testing.assert_allclose(np.linalg.norm(base, axis=1), 1, rtol=1e-5)
    assert len(asked) == len(np.load(exam.folder / "tuning.npy")) == 30
    np.testing.assert_array_equal(
        np.sort(truth, axis=1), np.sort(np.argsort(-asked @ base.T, axis=1)[:, :5], axis=1)
    )


def test_too_few_queries_for_a_batch_are_refused(data, tmp_path):
    with pytest.raises(DataError, match="expected 200 queries"):
        Exam(tmp_path, 5, 0.9, (1, 100)).write(data)


@pytest.mark.parametrize("name", ["annoy", "faiss-codes", "faiss-graph"])
def test_library_is_tuned_to_the_recall_and_answers_when_due(name, exam, start):
    with running(BY_NAME[name], exam, start) as child:
        child.pin(min(os.sched_getaffinity(0)))
        assert child.facts["recall"] >= 0.8
        assert child.resident_bytes() > 0
        latencies = child.latencies(10, np.array([0.0, 0.001]))
    assert len(latencies) == 2
    assert (latencies > 0).all()


@pytest.mark.parametrize("engine", ["faiss", "simhash"])
def test_our_searches_are_in_the_order_of_their_effort(engine):
    config, searches = ladder(engine, 250_000)
    assert config.kind == engine
    efforts = [tuple(search.model_dump().values()) for search in searches]
    assert efforts == sorted(set(efforts))


def test_our_server_is_tuned_and_answers_a_load(exam, start):
    with running(BY_NAME["shelfmate-simhash"], exam, start) as child:
        assert child.facts["recall"] >= 0.8
        result = trial_of(child, 10, limit_ms=60_000)(50.0, 0.2)
    assert result.good_share == 1
    assert len(result.latencies_s) == 10


@pytest.mark.skipif(find_spec("chromadb") is not None, reason="the peer is installed here")
def test_peer_that_is_not_installed_is_named(exam, start):
    absent = pytest.raises(BackendUnavailableError, match="chromadb")
    with absent, running(BY_NAME["chroma"], exam, start):
        pass


def test_peer_that_ends_is_quoted(exam, start):
    broken = BY_NAME["annoy"]._replace(engine="nothing")
    with pytest.raises(NotReadyError, match="KeyError: 'nothing'"), running(broken, exam, start):
        pass


def test_peer_that_is_gone_says_so(exam, start):
    with running(BY_NAME["faiss-ivf"], exam, start) as child:
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(ConnectionError):
            child.latencies(1, np.array([0.0]))
        result = trial_of(child, 1, limit_ms=60_000)(50.0, 0.2)
    assert result.good_share == 0


def test_run_keeps_every_peer_also_those_that_could_not_be_measured(
    exam, start, data, tmp_path, monkeypatch
):
    for module in (rates, saturation):
        monkeypatch.setattr(module, "TRIAL_S", 0.02)
    monkeypatch.setattr(saturation, "HALVINGS", 1)
    record = Record(tmp_path / "r.jsonl", data, 1, "run", SUITE)
    comparison = Comparison(exam, start, Pace((200.0,), 0.02), record)
    broken = BY_NAME["annoy"]._replace(name="broken", kind="server", engine="nothing")
    comparison.run([BY_NAME["annoy"], broken], SilentProgress())
    kept = read_results(record.path)
    assert [result.name for result in kept] == [
        f"{name}, batch {batch}" for name in ("annoy", "broken") for batch in (1, 10)
    ]
    assert {"queries_per_s", "recall", "resident_bytes"} <= set(kept[0].metrics)
    assert "KeyError" in kept[2].config["skipped"]
    assert comparison.bars() == []
    assert "| broken | it ended" in comparison_table(kept)


def measured(name: str, batch: int, calls_per_s: float, limit_ms: float, recall: float) -> Measured:
    nothing = LoadResult(1, 1, 0, np.zeros(1), 0)
    rate = Rate(calls_per_s, limit_ms, nothing, nothing, is_generators=False)
    return Measured(BY_NAME[name], batch, recall, rate)


def test_bars_take_our_best_at_the_limit_that_it_keeps(exam, start, data, tmp_path):
    record = Record(tmp_path / "r.jsonl", data, 1, "run", SUITE)
    comparison = Comparison(exam, start, Pace(), record)
    late = measured("fastapi-codes", 1, 0, 10, 0.9)
    late = late._replace(rate=replace(late.rate, is_generators=True))
    comparison.measured = [
        measured("shelfmate-simhash", 1, 300, 10, 0.9),
        measured("shelfmate-faiss", 1, 900, 10, 0.8),  # recalls too little to count
        measured("fastapi-ivf", 1, 200, 10, 0.9),
        measured("chroma", 1, 5_000, 50, 0.9),
        measured("milvus-lite", 1, 0, 10, 0.9),
        measured("annoy", 1, 9_999, 10, 0.9),  # no server
        measured("fastapi-ivf", 10, 1, 10, 0.9),
        late,
    ]
    bars = {bar.name: bar for bar in comparison.bars()}
    assert bars["shelfmate / fastapi-ivf, batch 1"].value == 1.5
    assert bars["shelfmate / chroma, batch 1"].met  # it never keeps the limit that we keep
    assert bars["shelfmate / milvus-lite, batch 1"].met
    assert not bars["shelfmate / fastapi-ivf, batch 10"].met  # ours was not measured
    assert not bars["shelfmate / fastapi-codes, batch 1"].met  # the load was late
    assert len(bars) == len(read_results(record.path)) == 5


def test_table_shows_the_last_run_with_limits_skips_and_setups():
    table = comparison_table(read_results(GOLDEN / "compare.jsonl"))
    assert "| shelfmate-simhash | 0.951 | 2,400 (p99 9.0 ms, limit 10 ms) | 9,000 (" in table
    assert "| fastapi-ivf | 0.951 | 1,200 or more (" in table
    assert "| milvus-lite | 0.900 (too low) | none within 50 ms |" in table
    assert "| chroma | not installed: No module named 'chromadb' | | | | | |" in table
    assert "| voyager | 0.951 | 800 (p99 9.0 ms, limit 10 ms) | it ended under load |" in table
    assert "| shelfmate / fastapi-ivf, batch 1 | >= 1 | 2.00 | met |" in table
    assert "| shelfmate / fastapi-ivf, batch 100 | >= 1 | - | met |" in table
    assert "- fastapi-ivf: set-up of fastapi-ivf; set to 7; fastapi-ivf 1.2.3" in table
    assert "recall 0.95 on half of 400 queries" in table


def test_peers_have_names_of_their_own_and_pgvector_needs_a_database():
    assert len(BY_NAME) == len(peers("host=nowhere"))
    assert isinstance(BY_NAME["pgvector"], Peer)
    assert "pgvector" not in {peer.name for peer in peers(None)}
