"""The ranker beside the best fusion of its candidates' sources, on three data sets.

    python -m benchmarks.rank_bars DATA

Prepares, trains and gathers unless that is done, appends the scores as one record a method, and
prints each bar as met or not.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.machine import describe_machine
from benchmarks.rank_data import RANK_DATA
from benchmarks.results import Result, append_result
from cli.pipeline import run_prepare
from cli.progress import ConsoleProgress
from cli.rank import run_rank
from cli.shop import ShopConfig
from trainer.ranker_report import OrderResult, RankerReport

SUITE = "rank"
NEEDED = 1.15
"""Times the NDCG of the best fusion that the ranker shall reach."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    data: Annotated[Path, typer.Argument(help="Folder with a folder for each data set.")],
    only: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(RANK_DATA)}; unset: all.")
    ] = None,
    work: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path("build/rank"),
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = Path(
        "benchmarks/results/rank.jsonl"
    ),
) -> None:
    """Train a ranker on each data set and compare it with the fusions of its sources."""
    lines = []
    for name in only or list(RANK_DATA):
        shop = RANK_DATA[name].shop(data, work)
        with ConsoleProgress(Console(stderr=True)) as progress:
            run_prepare(shop, progress)
            report, _ = run_rank(shop, progress)
        record(results, name, shop, report)
        print(f"{name}\n{report.to_text()}\n")
        lines.append(bar_line(name, report))
    print("\n".join(lines))


def record(path: Path, name: str, shop: ShopConfig, report: RankerReport) -> None:
    """Append one record for each way to order the candidates."""
    machine, now = describe_machine(), datetime.now(UTC)
    train = shop.train.model_dump(mode="json", include={"cf", "ranker"})
    for result in report.methods:
        append_result(
            path,
            Result(
                suite=SUITE,
                name=result.method,
                measured_at=now,
                machine=machine,
                data=f"{name} {report.table}",
                config={
                    "dataset": name,
                    "run": now.isoformat(),
                    "rank": shop.rank.model_dump(mode="json"),
                    "train": train,
                    **_counts(report),
                },
                metrics=_metrics(report, result),
            ),
        )


def bar_line(name: str, report: RankerReport) -> str:
    """Return the ratio of ranker and best fusion, and whether the bar is met."""
    fusion, ratio = report.best_fusion.method, report.relative
    if ratio is None:
        return f"{name}: {fusion} finds nothing (bar {NEEDED:g}): NOT met"
    met = ratio.mean >= NEEDED and ratio.low > 1
    return (
        f"{name}: ranker / {fusion}: NDCG@{report.k} {ratio.mean:.3f} [{ratio.low:.3f}, "
        f"{ratio.high:.3f}] (bar {NEEDED:g}): {'met' if met else 'NOT met'}"
    )


def _counts(report: RankerReport) -> dict[str, Any]:
    return {
        "k": report.k,
        "hits_k": report.hits_k,
        "rounds": report.rounds,
        "contexts": report.parts["test"].contexts,
        "candidates": report.parts["test"].candidates,
        "fusion": report.best_fusion.method,
        "fusion_weights": report.fusions[0].weights,
        "features": [importance.feature for importance in report.importances[:10]],
    }


def _metrics(report: RankerReport, result: OrderResult) -> dict[str, float]:
    metrics = {
        "ndcg": result.ndcg.mean,
        "ndcg_low": result.ndcg.low,
        "ndcg_high": result.ndcg.high,
        "mrr": result.mrr.mean,
        "hit_rate": result.hit_rate.mean,
        "less_than_ranker": result.less_than_ranker.mean,
        "less_than_ranker_low": result.less_than_ranker.low,
        "less_than_ranker_high": result.less_than_ranker.high,
        "pool_recall": report.ceiling.recall,
        "pool_ndcg": report.ceiling.ndcg,
    }
    if report.relative is not None:
        ratio = report.relative
        metrics |= {"ratio": ratio.mean, "ratio_low": ratio.low, "ratio_high": ratio.high}
    return metrics


if __name__ == "__main__":
    app()
