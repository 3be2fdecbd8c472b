"""Whether our ranker is what LightGBM makes of the same parameters, on a public sample.

python -m benchmarks.ltr_bars DATA_FOLDER
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import lightgbm
import numpy as np
import typer

from artifacts.errors import DataError
from artifacts.manifest import file_checksum
from artifacts.progress import SilentProgress
from artifacts.ranker import FeatureSchema, FeatureSpec
from artifacts.ranking_table import RankingTable
from benchmarks.machine import describe_machine
from benchmarks.results import Result, append_result
from trainer.ranker_config import RankerConfig
from trainer.ranker_model import fit_ranker, parameters

GRADES = 4
WIDTH = 301
"""Columns: features are numbered from 1 to 300, and LightGBM counts a column 0."""

CONFIG = RankerConfig(
    rounds=100,
    early_stopping=0,
    leaves=31,
    learning_rate=0.1,
    min_data_in_leaf=20,
    l2=0.0,
    feature_fraction=1.0,
)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    folder: Annotated[
        Path,
        typer.Argument(help="Holds rank.train and rank.test of LightGBM's lambdarank example."),
    ],
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = Path(
        "benchmarks/results/ltr.jsonl"
    ),
) -> None:
    """Fit the same trees twice and compare their NDCG@10 on the test file."""
    train, test = (read_libsvm(folder / name) for name in ("rank.train", "rank.test"))
    metrics = {
        "ndcg": our_ndcg(train, test, CONFIG),
        "plain_ndcg": plain_ndcg(train, test, CONFIG),
    }
    append_result(
        results,
        Result(
            suite="ltr",
            name="ranker against plain LightGBM",
            measured_at=datetime.now(UTC),
            machine=describe_machine(),
            data=f"LightGBM lambdarank example {file_checksum(folder / 'rank.train')[:16]}",
            config=CONFIG.model_dump(mode="json"),
            metrics=metrics,
        ),
    )
    print({name: round(value, 6) for name, value in metrics.items()})
    print(bar_line(metrics["ndcg"], metrics["plain_ndcg"]))


def our_ndcg(train: RankingTable, test: RankingTable, config: RankerConfig) -> float:
    """Return the NDCG on `test` of our trees, as we count it."""
    # Without early stopping the validation part is looked at and decides nothing.
    fitted = fit_ranker(train, test, config, progress=SilentProgress())
    return fitted.ndcg(test, config)


def plain_ndcg(train: RankingTable, test: RankingTable, config: RankerConfig) -> float:
    """Return the NDCG on `test` of LightGBM's trees, as LightGBM counts it."""
    settings = parameters(config, train.schema, config.gains_of(GRADES))
    learnt = _dataset(train, None)
    booster = lightgbm.train(
        settings,
        learnt,
        num_boost_round=config.rounds,
        valid_sets=[_dataset(test, learnt)],
        keep_training_booster=True,
    )
    [result] = booster.eval_valid()
    return float(result[2])


def bar_line(ours: float, plain: float) -> str:
    """Return both numbers, and whether the bar is met: they are equal but for rounding."""
    met = "met" if abs(ours - plain) < 1e-9 else "NOT met"
    return f"NDCG@{CONFIG.k} of the ranker {ours:.6f}, of plain LightGBM {plain:.6f} (equal): {met}"


def read_libsvm(path: Path) -> RankingTable:
    """Read `<path>` (a grade and `feature:value` pairs a line) and `<path>.query` (sizes of queries).

    Raises:
        DataError: the sizes do not add up to the lines.
    """
    lines = [line.split() for line in path.read_text("utf-8").splitlines()]
    sizes = np.loadtxt(path.with_name(f"{path.name}.query"), dtype=np.int64, ndmin=1)
    if sizes.sum() != len(lines):
        raise DataError(f"{path}: expected {sizes.sum()} lines, got {len(lines)}")
    features = np.zeros((len(lines), WIDTH), dtype=np.float32)
    for row, words in enumerate(lines):
        _fill(features[row], words[1:])
    return RankingTable(
        features=features,
        labels=np.array([int(words[0]) for words in lines], dtype=np.int8),
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        rows=np.arange(len(lines), dtype=np.int32),
        ranks=np.zeros((len(lines), 0), dtype=np.int16),
        missed=np.zeros((len(sizes), GRADES), dtype=np.int16),
        when=np.arange(len(sizes), dtype=np.int64),
        schema=_schema(),
    )


def _fill(row: np.ndarray, words: Sequence[str]) -> None:
    for word in words:
        column, value = word.split(":")
        row[int(column)] = float(value)


def _schema() -> FeatureSchema:
    features = tuple(FeatureSpec(name=f"f{column}") for column in range(WIDTH))
    return FeatureSchema(version=1, features=features, sources=())


def _dataset(table: RankingTable, reference: lightgbm.Dataset | None) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        table.features,
        label=table.labels.astype(np.float32),
        group=table.sizes,
        feature_name=list(table.schema.names),
        reference=reference,
    )


if __name__ == "__main__":
    app()
