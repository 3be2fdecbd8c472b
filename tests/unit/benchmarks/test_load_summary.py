import numpy as np
import pytest

from benchmarks.calls import CallLog, Calls, End
from benchmarks.load_summary import LoadSummary


def load(late_s: float) -> Calls:
    """Ten calls in a second: eight answered within 10 ms, one in 200 ms, one refused."""
    due_s = np.arange(10) / 10
    log = CallLog(due_s)
    for number, due in enumerate(due_s.tolist()):
        log.sent(number, due + late_s)
        code = End.REFUSED if number == 9 else End.ANSWERED
        log.ended(number, code, due + (0.2 if number == 8 else 0.01))
    return log.calls(0.0)


def test_calls_that_come_in_time_are_told_from_those_that_come():
    summary = LoadSummary.of_calls("made", load(0.0), seconds=1, deadline_s=0.05)
    assert summary.metrics["rate_per_s"] == 10
    assert summary.metrics["good_per_s"] == 8
    assert summary.metrics["p50_s"] == pytest.approx(0.01)
    assert summary.metrics["max_s"] == pytest.approx(0.2)
    assert summary.counts == {"OK": 9, "RESOURCE_EXHAUSTED": 1}
    assert summary.row().startswith("| made | 10.0 | 8.0 | 10.00 |")
    assert summary.row().endswith("| 200.00 | 9 OK, 1 RESOURCE_EXHAUSTED |")


def test_late_generator_gives_no_latencies():
    summary = LoadSummary.of_calls("made", load(0.005), seconds=1, deadline_s=0.05)
    assert set(summary.metrics) == {"rate_per_s", "late_p99_s"}
    assert "| 10.0 | generator late | - |" in summary.row()
