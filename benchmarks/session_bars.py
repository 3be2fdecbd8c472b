"""Every step of sessions: vectors of sessions against VSKNN and the other baselines.

    python -m benchmarks.session_bars -c shop.toml

Prepares and trains unless that is done, appends the scores as one record a method, and prints the
bar as met or not.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from artifacts.embeddings import EmbeddingTable
from benchmarks.machine import describe_machine
from benchmarks.results import Result, append_result
from cli.pipeline import run_prepare
from cli.progress import ConsoleProgress
from cli.shop import load_shop
from cli.spaces import run_train
from trainer.evaluate_sessions import evaluate_sessions
from trainer.evaluation_report import EvaluationReport, MethodResult

SUITE = "sessions"
BASELINE = "VSKNN"
VECTORS = "cf session vectors"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="Shop file.")],
    sessions: Annotated[
        int | None, typer.Option(help="Held-out sessions scored, drawn by the seed; unset: all.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = Path(
        "benchmarks/results/sessions.jsonl"
    ),
) -> None:
    """Predict every step of the held-out sessions by every method."""
    shop = load_shop(config)
    with ConsoleProgress(Console(stderr=True)) as progress:
        prepared = run_prepare(shop, progress)
        folder = run_train(shop, ("cf",), progress)["cf"]
        report = evaluate_sessions(
            prepared,
            EmbeddingTable.open(folder, "cf"),
            shop.evaluate,
            most_sessions=sessions,
            progress=progress,
        )
    settings = {
        "cf": shop.train.cf.model_dump(mode="json"),
        "evaluate": shop.evaluate.model_dump(mode="json"),
    }
    for result in report.methods:
        append_result(
            results,
            Result(
                suite=SUITE,
                name=result.method,
                measured_at=datetime.now(UTC),
                machine=describe_machine(),
                data=f"{config.stem} {prepared.manifest.id}",
                config={**settings, "k": report.k, "sessions": report.sessions},
                metrics=_metrics(result),
            ),
        )
    print(report.to_text())
    print(bar_line(report))


def bar_line(report: EvaluationReport) -> str:
    """Return the difference between vectors and VSKNN, and whether the bar is met."""
    gain = report.difference(VECTORS, BASELINE)
    verdict = "met" if gain.mean >= 0 else "NOT met"
    return (
        f"{VECTORS} - {BASELINE}: MRR {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}] "
        f"(bar 0): {verdict}"
    )


def _metrics(result: MethodResult) -> dict[str, float]:
    return {
        "mrr": result.mrr.mean,
        "mrr_low": result.mrr.low,
        "mrr_high": result.mrr.high,
        "hit_rate": result.hit_rate.mean,
        "ndcg": result.ndcg.mean,
        "coverage": result.coverage,
        "gini": result.gini,
        "novelty_bits": result.novelty,
    }


if __name__ == "__main__":
    app()
