"""prod2vec alone against its bars: last item from the one before it, MRR@25 over the catalogue.

python -m benchmarks.quality_bars DATA_FOLDER --only diginetica
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console

from artifacts.embeddings import EmbeddingTable
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.relation import Relation
from artifacts.versions import VersionedRoot
from benchmarks.machine import describe_machine
from benchmarks.quality_data import QUALITY_DATA, QualityData
from benchmarks.results import Result, append_result
from cli.progress import ConsoleProgress
from trainer.bootstrap import Bootstrap
from trainer.config import EvaluateConfig
from trainer.evaluate import MEGABYTE, last_steps
from trainer.prod2vec import fit_prod2vec
from trainer.ranking import rank_cases
from trainer.scorers import CoOccurrenceScorer, EmbeddingScorer, Scorer

SUITE = "quality"
EVALUATE = EvaluateConfig()

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    folder: Annotated[Path, typer.Argument(help="Holds a folder for each data set.")],
    only: Annotated[list[str] | None, typer.Option(help="Data sets; unset: all.")] = None,
    work: Annotated[Path, typer.Option(help="Prepared data go there.")] = Path(
        "build/bench/quality"
    ),
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = Path(
        "benchmarks/results/quality.jsonl"
    ),
) -> None:
    """Train and score on each data set, and say which bars are met."""
    for name in only or QUALITY_DATA:
        data = QUALITY_DATA[name]
        with ConsoleProgress(Console(stderr=True, highlight=False)) as progress:
            prepared = data.prepared(folder, VersionedRoot(work / name), progress=progress)
            result = measure(data, prepared, work, progress=progress)
        append_result(results, result)
        print(_verdict(data, result.metrics))


def measure(data: QualityData, prepared: Prepared, work: Path, *, progress: Progress) -> Result:
    """Train with the settings of `data` and compare with co-occurrence, paired."""
    begun = time.perf_counter()
    table = fit_prod2vec(prepared, data.alone_config, work, progress=progress)
    taken = time.perf_counter() - begun
    values = np.stack([reciprocal_ranks(prepared, one) for one in _methods(prepared, table)], 1)
    return Result(
        suite=SUITE,
        name=f"prod2vec alone, {data.name}",
        measured_at=datetime.now(UTC),
        machine=describe_machine(),
        data=f"{data.name} {prepared.manifest.id}",
        config=data.alone_config.model_dump(mode="json"),
        metrics={"sessions": len(values), "train_s": taken, **_metrics(values)},
    )


def _methods(prepared: Prepared, table: EmbeddingTable) -> tuple[Scorer, Scorer]:
    items = len(prepared.items)
    return (
        EmbeddingScorer(table, Relation.CONTINUATIONS, "prod2vec"),
        CoOccurrenceScorer(prepared.train_sessions, items=items, smoothing=EVALUATE.smoothing),
    )


def reciprocal_ranks(prepared: Prepared, scorer: Scorer) -> NDArray[np.float64]:
    """Return what every held-out session contributes to the MRR."""
    ranking = rank_cases(
        scorer,
        last_steps(prepared),
        k=EVALUATE.k,
        block_bytes=EVALUATE.block_mb * MEGABYTE,
    )
    return ranking.reciprocal(EVALUATE.k)


def _metrics(values: NDArray[np.float64]) -> dict[str, float]:
    """Return means, the paired difference and the ratio of two columns of reciprocal ranks."""
    bootstrap = Bootstrap.of(values, EVALUATE)
    metrics: dict[str, float] = {}
    for place, name in enumerate(("mrr", "co_occurrence_mrr")):
        mean, low, high = bootstrap.interval(place)
        metrics |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    gain, low, high = bootstrap.difference(0, 1)
    metrics |= {"gain": gain, "gain_low": low, "gain_high": high}
    return {**metrics, "ratio": metrics["mrr"] / metrics["co_occurrence_mrr"]}


def _verdict(data: QualityData, metrics: dict[str, float]) -> str:
    if data.at_least is not None:
        bar = data.at_least
    else:
        assert data.against_co_occurrence is not None, "bug: data without a bar"
        bar = data.against_co_occurrence * metrics["co_occurrence_mrr"]
    met = "met" if metrics["mrr"] >= bar else "NOT met"
    return (
        f"{data.name}: MRR@{EVALUATE.k} {metrics['mrr']:.4f} "
        f"[{metrics['mrr_low']:.4f}, {metrics['mrr_high']:.4f}], co-occurrence "
        f"{metrics['co_occurrence_mrr']:.4f}, ratio {metrics['ratio']:.3f}, "
        f"bar {bar:.4f}: {met}"
    )


if __name__ == "__main__":
    app()
