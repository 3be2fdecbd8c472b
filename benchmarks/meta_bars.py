"""meta-prod2vec against its bar: better than prod2vec on rare items, and no worse overall.

python -m benchmarks.meta_bars DATA_FOLDER --only instacart
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
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
from benchmarks.quality_bars import EVALUATE, SUITE, reciprocal_ranks
from benchmarks.quality_data import QUALITY_DATA, QualityData
from benchmarks.results import Result, append_result
from cli.progress import ConsoleProgress
from trainer.bootstrap import Bootstrap
from trainer.evaluate import last_steps
from trainer.meta import fit_meta, read_columns
from trainer.prod2vec import fit_prod2vec
from trainer.scorers import EmbeddingScorer
from trainer.session_lists import read_session_lists
from trainer.tune_config import TuneConfig
from trainer.tune_data import tune_data

RARE = 20
"""Occurrences in training below which an item is rare."""
CUT = TuneConfig(validation=0.15, most_cases=1_000_000, seed=7)
"""What settings are chosen on."""

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
    validation: Annotated[
        bool, typer.Option("--validation", help="Score a cut of the training part; keep nothing.")
    ] = False,
) -> None:
    """Train and score both on each data set, and say whether the bar is met."""
    for name in only or [name for name, data in QUALITY_DATA.items() if data.meta]:
        data = QUALITY_DATA[name]
        with ConsoleProgress(Console(stderr=True, highlight=False)) as progress:
            prepared = data.prepared(folder, VersionedRoot(work / name), progress=progress)
            with _scored(prepared, work, cut=validation) as scored:
                result = measure(data, scored, work, progress=progress)
        if not validation:
            append_result(results, result)
        print(verdict(data.name, result.metrics))


@contextmanager
def _scored(prepared: Prepared, work: Path, *, cut: bool) -> Iterator[Prepared]:
    """Give the data set, or one that learns from a part of the training sessions."""
    if not cut:
        yield prepared
        return
    with tune_data(prepared, CUT, 1.0, work) as data:
        yield replace(data.whole, manifest=prepared.manifest)


def measure(data: QualityData, prepared: Prepared, work: Path, *, progress: Progress) -> Result:
    """Train meta-prod2vec and prod2vec by settings that agree, and compare them, paired."""
    config = data.meta_config
    columns = read_columns(prepared, config, work)
    meta, meta_s = _timed(lambda: fit_meta(prepared, columns, config, progress=progress).table)
    plain, plain_s = _timed(lambda: fit_prod2vec(prepared, data.config, work, progress=progress))
    values = np.stack([_ranks(prepared, table) for table in (meta, plain)], axis=1)
    return Result(
        suite=SUITE,
        name=f"meta-prod2vec beside prod2vec, {data.name}",
        measured_at=datetime.now(UTC),
        machine=describe_machine(),
        data=f"{data.name} {prepared.manifest.id}",
        config={
            "meta": config.model_dump(mode="json"),
            "cf": data.config.model_dump(mode="json"),
        },
        metrics={"meta_s": meta_s, "prod2vec_s": plain_s, **_metrics(prepared, values)},
    )


def _timed(fit: Callable[[], EmbeddingTable]) -> tuple[EmbeddingTable, float]:
    begun = time.perf_counter()
    table = fit()
    return table, time.perf_counter() - begun


def _ranks(prepared: Prepared, table: EmbeddingTable) -> NDArray[np.float64]:
    return reciprocal_ranks(prepared, EmbeddingScorer(table, Relation.CONTINUATIONS, table.space))


def _metrics(prepared: Prepared, values: NDArray[np.float64]) -> dict[str, float]:
    """Compare on all sessions, on those that ask with a rare item, and on those that end in one."""
    cases = last_steps(prepared)
    lists = read_session_lists(prepared.train_sessions)
    seen = np.bincount(lists.values, minlength=len(prepared.items))
    parts = {
        "all": np.ones(len(cases), dtype=np.bool_),
        "rare_query": seen[cases.queries] < RARE,
        "rare_target": seen[cases.targets] < RARE,
    }
    metrics: dict[str, float] = {}
    for name, part in parts.items():
        metrics |= {f"{name}_{key}": value for key, value in _compared(values[part]).items()}
    return metrics


def _compared(values: NDArray[np.float64]) -> dict[str, float]:
    bootstrap = Bootstrap.of(values, EVALUATE)
    gain, low, high = bootstrap.difference(0, 1)
    return {
        "sessions": len(values),
        "meta_mrr": float(bootstrap.means[0]),
        "prod2vec_mrr": float(bootstrap.means[1]),
        "gain": gain,
        "gain_low": low,
        "gain_high": high,
    }


def verdict(name: str, metrics: dict[str, float]) -> str:
    """Say in a line for each part what came of it, and whether the bar is met."""
    met = metrics["rare_query_gain_low"] > 0 and metrics["all_gain"] >= 0
    lines = [
        f"  {part}: {metrics[f'{part}_sessions']:,.0f} sessions, MRR@{EVALUATE.k} "
        f"{metrics[f'{part}_meta_mrr']:.4f}, prod2vec {metrics[f'{part}_prod2vec_mrr']:.4f}, "
        f"gain {metrics[f'{part}_gain']:+.4f} "
        f"[{metrics[f'{part}_gain_low']:+.4f}, {metrics[f'{part}_gain_high']:+.4f}]"
        for part in ("all", "rare_query", "rare_target")
    ]
    return "\n".join([f"{name}: meta-prod2vec {'met' if met else 'NOT met'}", *lines])


if __name__ == "__main__":
    app()
