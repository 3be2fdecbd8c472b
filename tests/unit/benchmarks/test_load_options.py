import dataclasses
from pathlib import Path

import pytest

from artifacts.errors import ConfigError, DataError
from benchmarks.arrivals import Arrivals, Step
from benchmarks.load_execution import run_load
from benchmarks.load_options import Chaos, LoadOptions, parse_steps

PLAIN = LoadOptions(
    config=Path("shop.toml"),
    address=None,
    ids=None,
    mix="item_page",
    steps=[Step(100, 30)],
    arrivals=Arrivals.POISSON,
    deadline_ms=50,
    p99_ms=None,
    chaos=None,
    results=Path("r.jsonl"),
)
ELSEWHERE = dataclasses.replace(PLAIN, config=None, address="a:1", ids=Path("ids"))


def test_steps_are_rates_and_seconds():
    assert parse_steps("100x10, 2.5x1") == [Step(100, 10), Step(2.5, 1)]


@pytest.mark.parametrize("text", ["", "100", "100x", "x10", "0x10", "100x-1", "100xinf", "ax1"])
def test_what_is_no_step_is_refused(text):
    with pytest.raises(ConfigError, match="--steps"):
        parse_steps(text)


@pytest.mark.parametrize(
    "options",
    [
        PLAIN,
        ELSEWHERE,
        dataclasses.replace(ELSEWHERE, config=Path("shop.toml"), ids=None),
        dataclasses.replace(PLAIN, chaos=Chaos.SWAP),
        dataclasses.replace(PLAIN, p99_ms=10),
    ],
)
def test_options_that_go_together_pass(options):
    options.check()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (dataclasses.replace(PLAIN, config=None), "expected --config"),
        (dataclasses.replace(ELSEWHERE, ids=None), "needs --ids"),
        (dataclasses.replace(ELSEWHERE, chaos=Chaos.KILL), "server of its own"),
        (dataclasses.replace(PLAIN, chaos=Chaos.KILL, p99_ms=10), "--knee"),
        (dataclasses.replace(PLAIN, steps=[Step(1, 1)] * 2, p99_ms=10), "--steps"),
    ],
)
def test_options_that_do_not_are_refused(options, complaint):
    with pytest.raises(ConfigError, match=complaint):
        options.check()


@pytest.mark.parametrize(
    ("changes", "error", "complaint"),
    [
        ({"mix": "cart"}, ConfigError, "item_page"),
        ({"address": "nowhere"}, ConfigError, "host:port"),
        ({"ids": Path("none.txt")}, DataError, "none.txt"),
    ],
)
def test_bad_input_is_refused_before_a_call_is_made(tmp_path, changes, error, complaint):
    ids = tmp_path / "ids.txt"
    ids.write_text("item-0001\n")
    options = dataclasses.replace(ELSEWHERE, ids=ids, results=tmp_path / "r.jsonl")
    with pytest.raises(error, match=complaint):
        run_load(dataclasses.replace(options, **changes))
    assert not options.results.exists()
