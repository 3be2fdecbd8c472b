from datetime import UTC, datetime

import pytest

from artifacts.errors import ArtifactError
from benchmarks.machine import describe_machine
from benchmarks.rank_report import bars_table, circumstances, latest_runs, methods_table
from benchmarks.results import Result

MACHINE = describe_machine()


def _result(method: str, ndcg: float, *, run: str = "second", dataset: str = "grocer") -> Result:
    numbers = {"less_than_ranker": 0.1, "less_than_ranker_low": 0.05, "less_than_ranker_high": 0.15}
    return Result(
        suite="rank",
        name=method,
        measured_at=datetime(2026, 1, 1, tzinfo=UTC),
        machine=MACHINE,
        data=f"{dataset} 0123",
        config={
            "dataset": dataset,
            "run": run,
            "k": 10,
            "hits_k": 25,
            "rounds": 70,
            "contexts": 5_000,
            "candidates": 900_000,
            "fusion": "fusion, weighted ranks",
            "features": ["user.taken", "lists.fusion"],
        },
        metrics={
            "ndcg": ndcg,
            "ndcg_low": ndcg - 0.01,
            "ndcg_high": ndcg + 0.01,
            "mrr": ndcg,
            "hit_rate": 0.5,
            "pool_recall": 0.6,
            "ratio": 1.2,
            "ratio_low": 1.1,
            "ratio_high": 1.3,
            **numbers,
        },
    )


RUN = [_result("ranker", 0.24), _result("fusion, weighted ranks", 0.2), _result("popular", 0.02)]


def test_the_last_run_of_each_data_set_counts():
    other = _result("ranker", 0.3, dataset="clicks", run="first")
    old = _result("ranker", 0.9, run="first")
    runs = latest_runs([old, other, *RUN])
    assert runs == {"grocer": RUN, "clicks": [other]}


def test_no_run_is_no_table():
    with pytest.raises(ArtifactError, match="'rank'"):
        latest_runs([])


def test_the_ranker_stands_beside_the_fusion_that_was_chosen():
    line = bars_table({"grocer": RUN}).splitlines()[-1]
    assert line == (
        "| grocer | 60.0% | 0.2000 [0.1900, 0.2100] (fusion, weighted ranks) "
        "| 0.2400 [0.2300, 0.2500] | 1.200 [1.100, 1.300] | met |"
    )


def test_every_order_has_a_line_with_its_interval():
    head, _, *lines = methods_table(RUN).splitlines()
    assert head.startswith("| order | NDCG@10 | MRR@25 |")
    assert lines[0] == "| ranker | 0.2400 [0.2300, 0.2500] | 0.2400 | 0.5000 |  |"
    assert lines[-1].endswith("| +0.1000 [+0.0500, +0.1500] |")
    assert "5,000 contexts" in circumstances(RUN)
