"""Whether serving keeps what it promises, beside a bare echo on the same core.

python -m benchmarks.serving_bars --config configs/complete-journey.toml
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.machine import describe_machine
from benchmarks.open_loop import Load, LoadResult, run_load
from benchmarks.results import Result, append_result
from benchmarks.saturation import TRIAL_S, Saturation, Trial, find_saturation, overload_goodput
from benchmarks.search_record import Bar
from benchmarks.serving_requests import Asked, K, Questions
from benchmarks.serving_target import GENERATOR_CORE, target
from cli.shop import Workspace, load_shop
from retrieval.recommender import Recommender
from retrieval.state import load_state

SUITE = "serving_bars"
BATCH = 100
P99_SHARE = 0.6
P99_MS = 10.0
OVERLOAD = 3.0
DEAR_S = 0.005
"""A call that costs as much is refused for nearly nothing."""
KEPT = 0.9


class Bench:
    """Measures one target after the other and keeps what it finds.

    Args:
        results: file of JSON lines.
        data: name of the snapshot.
        seconds: of each confirmed load.

    Attributes:
        bars: those that were measured.
    """

    def __init__(self, results: Path, data: str, seconds: float) -> None:
        self._results = results
        self._data = data
        self.seconds = seconds
        self.bars: list[Bar] = []

    def trial(self, port: int, questions: Questions) -> Trial:
        """Return what puts a load on a port."""

        def run(rate: float, seconds: float) -> LoadResult:
            load = Load(questions.path, questions.messages, rate, seconds)
            result = run_load("127.0.0.1", port, load)
            print(
                f"  {questions.name}: {result.rate:8.0f}/s, good {result.good_share:7.2%}, "
                f"p50 {result.percentile_ms(50):6.2f} ms, p99 {result.percentile_ms(99):6.2f} ms, "
                f"refused {result.refused_rate:.0f}/s, generator late {1e3 * result.late_s:.2f} ms",
                flush=True,
            )
            return result

        return run

    def saturation(self, port: int, questions: Questions) -> Saturation:
        """Find the saturation of a server."""
        found = find_saturation(self.trial(port, questions), self.seconds)
        self.keep(f"{questions.name}: saturation", found.result, {"rate_per_s": found.rate})
        return found

    def keep(self, name: str, result: LoadResult, more: dict[str, float]) -> None:
        """Append a load to the file of results."""
        metrics = {
            "good_per_s": result.good_rate,
            "refused_per_s": result.refused_rate,
            "p50_s": result.percentile_ms(50) / 1e3,
            "p99_s": result.percentile_ms(99) / 1e3,
            "late_p99_s": result.late_s,
            **more,
        }
        self._append(name, metrics)

    def bar(self, bar: Bar) -> None:
        """Print a bar and keep it."""
        print(bar.line(), flush=True)
        self.bars.append(bar)
        self._append(bar.name, {"value": bar.value, "needed": bar.needed, "met": float(bar.met)})

    def _append(self, name: str, metrics: dict[str, float]) -> None:
        result = Result(
            suite=SUITE,
            name=name,
            measured_at=datetime.now(UTC),
            machine=describe_machine(),
            data=self._data,
            config={"seconds": self.seconds, "k": K},
            metrics=metrics,
        )
        append_result(self._results, result)


def echo_rate(bench: Bench, questions: Questions, entries: int) -> float:
    """Return the calls a second of the bare server, which is asked as ours is."""
    with target("benchmarks.echo_server", ["--entries", str(entries)]) as port:
        asked = questions._replace(name=f"echo to {questions.name}")
        return bench.saturation(port, asked).rate


def refusal_s(bench: Bench, questions: Questions) -> float:
    """Return what a refusal costs: the rate of a server that does nothing else, at its highest."""
    asked = questions._replace(name="refusals")
    rate, most = 1_000.0, 0.0
    with target("benchmarks.echo_server", ["--refuse"]) as port:
        trial = bench.trial(port, asked)
        while (refused := trial(rate, TRIAL_S).refused_rate) > 1.05 * most:
            most, rate = refused, 1.5 * rate
    return 1 / max(most, refused)


def measure(bench: Bench, asked: Asked, config: Path) -> None:
    """Measure every scenario beside its ceiling."""
    refusal = refusal_s(bench, asked.precomputed())
    for questions, entries, needed in (
        (asked.precomputed(), 0, 0.85),
        (asked.neighbors(1), 1, 0.80),
        (asked.sessions(), 1, 0.80),
        (asked.neighbors(BATCH), BATCH, 0.85),
    ):
        echo = echo_rate(bench, questions, max(entries, 1))
        ceiling = 1 / (1 / echo + (asked.search_s(entries) if entries else 0.0))
        arguments = ["serve", "--config", str(config), "--port", "0"]
        with target("cli", arguments) as port:
            found = bench.saturation(port, questions)
            share = found.rate / ceiling
            bench.bar(Bar(f"{questions.name} / ceiling of {ceiling:.0f} a second", share, needed))
            _latency_bar(bench, port, questions, found.rate)
            _overload_bar(bench, port, questions, found.rate, refusal)


def _latency_bar(bench: Bench, port: int, questions: Questions, peak: float) -> None:
    result = bench.trial(port, questions)(P99_SHARE * peak, bench.seconds)
    bench.keep(f"{questions.name}: at {P99_SHARE:.0%}", result, {})
    name = f"{questions.name}: p99 in ms at {P99_SHARE:.0%} of saturation"
    bench.bar(Bar(name, result.percentile_ms(99), P99_MS, most=True))


def _overload_bar(
    bench: Bench, port: int, questions: Questions, peak: float, refusal: float
) -> None:
    result = bench.trial(port, questions)(OVERLOAD * peak, bench.seconds)
    bench.keep(f"{questions.name}: at {OVERLOAD:.0f} x saturation", result, {})
    possible = peak if 1 / peak >= DEAR_S else overload_goodput(peak, refusal)
    name = f"{questions.name}: goodput at {OVERLOAD:.0f} x saturation / {possible:.0f}/s"
    bench.bar(Bar(name, result.good_rate / possible if possible else float("nan"), KEPT))


def main(
    config: Annotated[Path, typer.Option(help="Shop file; its current snapshot is served.")],
    results: Annotated[Path, typer.Option(help="File of JSON lines to append to.")] = Path(
        "benchmarks/results/serving.jsonl"
    ),
    seconds: Annotated[float, typer.Option(help="Of each confirmed load.", min=1)] = 30.0,
) -> None:
    """Measure the bars of serving; takes about ten minutes on a machine that does nothing else."""
    os.sched_setaffinity(0, {GENERATOR_CORE})
    shop = load_shop(config)
    state = load_state(Workspace(shop.work_dir).snapshots.current(hint="shelfmate publish"))
    asked = Asked(Recommender(state, shop.retrieval))
    bench = Bench(results, state.snapshot.id, seconds)
    measure(bench, asked, config)
    typer.echo(f"{sum(bar.met for bar in bench.bars)} of {len(bench.bars)} bars met")


if __name__ == "__main__":
    typer.run(main)
