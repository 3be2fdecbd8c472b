"""What can be recommended beside new items, measured on a shop's own data.

    python -m benchmarks.cold_start_bars -c shop.toml

Prepares the shop's data unless that is done, simulates new items, appends the scores as one record
and prints each bar as met or not.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.machine import describe_machine
from benchmarks.results import Result, append_result
from cli.cold_start import ColdStart, ColdStartReport, run_cold_start
from cli.pipeline import run_prepare
from cli.progress import ConsoleProgress
from cli.shop import load_shop
from trainer.hidden_items import HidingConfig

SUITE = "cold start"
BARS = {"popular in category": 2.0, "content alone": 1.2}
"""How many times the MRR of each method the hybrid shall reach."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="Shop file.")],
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = Path(
        "benchmarks/results/cold_start.jsonl"
    ),
) -> None:
    """Simulate new items and compare the hybrid with its bars."""
    shop = load_shop(config)
    with ConsoleProgress(Console(stderr=True)) as progress:
        prepared = run_prepare(shop, progress)
        report, _ = run_cold_start(shop, progress)
    settings = ColdStart(shop.train, shop.evaluate, HidingConfig())
    append_result(
        results,
        Result(
            suite=SUITE,
            name="hybrid",
            measured_at=datetime.now(UTC),
            machine=describe_machine(),
            data=f"{config.stem} {prepared.manifest.id}",
            config={
                "cf": settings.train.cf.model_dump(mode="json"),
                "hiding": settings.hiding.model_dump(mode="json"),
                "thresholds": report.thresholds.model_dump(mode="json"),
                "k": report.methods.k,
                "cases": report.methods.cases,
                "hidden": report.hidden,
            },
            metrics=_metrics(report),
        ),
    )
    print(report.to_text())
    for line in bar_lines(report):
        print(line)


def bar_lines(report: ColdStartReport) -> list[str]:
    """Return each bar with the ratio reached, and whether it is met."""
    lines = []
    hybrid = report.methods.method("hybrid").mrr.mean
    for name, bar in BARS.items():
        other = report.methods.method(name).mrr.mean
        ratio = hybrid / other if other else float("inf")
        verdict = "met" if ratio >= bar else "NOT met"
        lines.append(f"hybrid / {name}: {ratio:.2f} (bar {bar:g}): {verdict}")
    return lines


def _metrics(report: ColdStartReport) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for result in report.methods.methods:
        metrics[f"{result.method} mrr"] = result.mrr.mean
        metrics[f"{result.method} mrr_low"] = result.mrr.low
        metrics[f"{result.method} mrr_high"] = result.mrr.high
        metrics[f"{result.method} hit_rate"] = result.hit_rate.mean
    return metrics


if __name__ == "__main__":
    app()
