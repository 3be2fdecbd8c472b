"""Ranking a hundred candidates: our predictor beside LightGBM's own, and features with it.

python -m benchmarks.rerank_bars [--snapshot work/snapshots/<id> [--ranker work/ranker/<id>]]
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import lightgbm
import numpy as np
import typer
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix
from artifacts.errors import ConfigError
from artifacts.ranker import MODEL_NAME, FeatureSchema, FeatureSpec, Ranker
from benchmarks.compiled_trees import compiled_predictors
from benchmarks.machine import describe_machine
from benchmarks.results import Result, append_result
from benchmarks.search_record import Bar
from retrieval.ranking.candidate_ranker import CandidateRanker
from retrieval.ranking.context import RankContext
from retrieval.ranking.model import RankModel
from retrieval.state import load_state

SUITE = "rerank"
CANDIDATES = 100
MOST_OF_LIGHTGBM = 1.2
MOST_P50_S = 0.002
MADE_WIDTH = 60
LESSONS, ABSENT = 20_000, 0.2
SEED = 5
VISITS = (1, 8)
"""Fewest and most visits of a context."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Predict = Callable[[FloatMatrix], NDArray[np.float64]]


@app.command()
def run(  # noqa: PLR0913 - the options of a command are its parameters
    snapshot: Annotated[
        Path | None, typer.Option(help="A snapshot with a ranker, for features and predict.")
    ] = None,
    ranker: Annotated[
        Path | None, typer.Option(help="A sealed ranker in place of the snapshot's.")
    ] = None,
    trees: Annotated[int, typer.Option(help="Trees of the made model.", min=1)] = 200,
    leaves: Annotated[int, typer.Option(help="Leaves of each.", min=2)] = 31,
    passes: Annotated[int, typer.Option(help="Calls of each, by turns.", min=1)] = 2_000,
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = Path(
        "benchmarks/results/rerank.jsonl"
    ),
) -> None:
    """Time predictors by turns on a made model, and ranking as it is served on a snapshot."""
    bars, metrics = made_contest(trees, leaves, passes)
    config: dict[str, Any] = {"trees": trees, "leaves": leaves, "passes": passes}
    _keep("made model", "made", metrics, config, results)
    if snapshot is not None:
        served, metrics = served_contest(snapshot, ranker, passes)
        bars += served
        _keep("features and predict", snapshot.name, metrics, {"passes": passes}, results)
    for bar in bars:
        print(bar.line())


def made_contest(trees: int, leaves: int, passes: int) -> tuple[list[Bar], dict[str, float]]:
    """Train a model on made features and let all predictors score the same candidates by turns.

    Raises:
        ConfigError: a predictor gives other scores than LightGBM.
    """
    features = made_features(LESSONS)
    booster = _train(features, trees, leaves)
    with TemporaryDirectory(prefix="shelfmate-trees-") as name:
        model = Path(name) / MODEL_NAME
        booster.save_model(model)
        names = tuple(FeatureSpec(name=each) for each in booster.feature_name())
        schema = FeatureSchema(version=1, features=names, sources=())
        contenders: dict[str, Predict] = {
            "ours": RankModel(Ranker(schema, model)).scores,
            "lightgbm": partial(lightgbm_scores, booster),
            **dict(compiled_predictors(model, Path(name))),
        }
        _check_alike(contenders, features[:CANDIDATES])
        seconds = time_by_turns(contenders, features, passes)
    return predict_bars(seconds)


def predict_bars(
    seconds: Mapping[str, Sequence[float]],
) -> tuple[list[Bar], dict[str, float]]:
    """Return the bar and the metrics of calls that were made by turns.

    Neighbouring calls are compared, so that a machine that slows down slows down all of them.
    """
    metrics = {f"{name}_s": median(calls) for name, calls in seconds.items()}
    for name, calls in seconds.items():
        pairs = zip(seconds["ours"], calls, strict=True)
        metrics[f"ours_of_{name}"] = median(own / other for own, other in pairs)
    del metrics["ours_of_ours"]
    bar = f"predict {CANDIDATES} candidates / LightGBM's own"
    return [Bar(bar, metrics["ours_of_lightgbm"], MOST_OF_LIGHTGBM, most=True)], metrics


def served_contest(
    path: Path, trained: Path | None, passes: int
) -> tuple[list[Bar], dict[str, float]]:
    """Time lists, features and predict for made contexts of a snapshot, as serving does them.

    Args:
        path: of the snapshot.
        trained: folder of a ranker in place of the snapshot's own.
        passes: contexts.

    Raises:
        UnsupportedError: the snapshot has no ranker.
    """
    state = load_state(path, check=False)
    if trained is not None:
        snapshot = replace(state.snapshot, ranker=Ranker.open(trained))
        state = replace(state, ranker=CandidateRanker.of(snapshot, state.availability))
    ranker = state.require_ranker()
    rng = np.random.default_rng(SEED)
    popular = np.asarray(state.snapshot.popularity.overall())[:5_000]
    seconds: dict[str, list[float]] = {"whole": [], "predict": [], "lightgbm": []}
    booster = lightgbm.Booster(model_file=ranker.model.path)
    for _ in range(passes):
        visited = rng.choice(popular, rng.integers(*VISITS), replace=False)
        context = RankContext.of(visited)
        pool = ranker.computer.sources.gather(context).pool()
        rows = rng.permutation(pool)[:CANDIDATES].astype(np.int32)
        started = time.perf_counter()
        features = ranker.score(context, rows).features
        seconds["whole"].append(time.perf_counter() - started)
        seconds["predict"].append(_timed(ranker.model.scores, features))
        seconds["lightgbm"].append(_timed(partial(lightgbm_scores, booster), features))
    metrics = {
        "features_and_predict_p50_s": median(seconds["whole"]),
        "features_and_predict_p99_s": float(np.percentile(seconds["whole"], 99)),
        "predict_p50_s": median(seconds["predict"]),
        "lightgbm_p50_s": median(seconds["lightgbm"]),
        "trees": float(len(ranker.model)),
        "features": float(ranker.schema.width),
    }
    milliseconds = 1_000 * metrics["features_and_predict_p50_s"]
    name = f"features + predict, {CANDIDATES} candidates, p50 in ms"
    return [Bar(name, milliseconds, 1_000 * MOST_P50_S, most=True)], metrics


def made_features(rows: int) -> FloatMatrix:
    """Return features of which a part is absent, counted, or a flag, as those of a shop are."""
    rng = np.random.default_rng(SEED)
    features = rng.normal(size=(rows, MADE_WIDTH)).astype(np.float32)
    features[:, ::4] = rng.poisson(1.0, size=features[:, ::4].shape)
    features[:, 1::8] = features[:, 1::8] > 0
    features[rng.random(features.shape) < ABSENT] = np.nan
    return features


def time_by_turns(
    contenders: Mapping[str, Predict], features: FloatMatrix, passes: int
) -> dict[str, list[float]]:
    """Return the seconds of each call; every turn scores other candidates."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(passes):
        start = number * CANDIDATES % (len(features) - CANDIDATES)
        rows = np.ascontiguousarray(features[start : start + CANDIDATES])
        for name, predict in contenders.items():
            seconds[name].append(_timed(predict, rows))
    return seconds


def lightgbm_scores(booster: lightgbm.Booster, rows: FloatMatrix) -> NDArray[np.float64]:
    """Return what LightGBM's own call says, on one thread."""
    return booster.predict(rows, raw_score=True, num_threads=1)  # type: ignore[return-value]  # dense rows


def _timed(predict: Predict, rows: FloatMatrix) -> float:
    started = time.perf_counter()
    predict(rows)
    return time.perf_counter() - started


def _train(features: FloatMatrix, trees: int, leaves: int) -> lightgbm.Booster:
    rng = np.random.default_rng(SEED + 1)
    wanted = np.nan_to_num(features[:, :8]).sum(axis=1) + rng.normal(size=len(features))
    grades = (wanted > np.quantile(wanted, 0.9)).astype(np.int8)
    parameters = {
        "objective": "lambdarank",
        "num_leaves": leaves,
        "verbosity": -1,
        "seed": SEED,
        "num_threads": 1,
    }
    groups = np.full(len(features) // CANDIDATES, CANDIDATES)
    data = lightgbm.Dataset(features, grades, group=groups, params=parameters)
    return lightgbm.train(parameters, data, num_boost_round=trees)


def _check_alike(contenders: Mapping[str, Predict], rows: FloatMatrix) -> None:
    truth = contenders["lightgbm"](rows)
    for name, predict in contenders.items():
        # The others sum in float32.
        tolerance = 0.0 if name == "ours" else 1e-4
        off = float(np.abs(predict(rows) - truth).max())
        if not off <= tolerance:
            raise ConfigError(f"{name}: scores differ from LightGBM's by up to {off}")


def _keep(
    name: str, data: str, metrics: Mapping[str, float], config: Mapping[str, Any], path: Path
) -> None:
    print(
        {
            key: round(1e6 * value, 1) if key.endswith("_s") else round(value, 3)
            for key, value in metrics.items()
        }
    )
    result = Result(
        suite=SUITE,
        name=name,
        measured_at=datetime.now(UTC),
        machine=describe_machine(),
        data=data,
        config={**config, "candidates": CANDIDATES, "load_average": os.getloadavg()[0]},
        metrics=dict(metrics),
    )
    append_result(path, result)


if __name__ == "__main__":
    app()
