"""Small rankers, trained by LightGBM and sealed as the trainer does."""

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.folders import staged_folder
from artifacts.manifest import seal
from artifacts.ranker import (
    METRICS_NAME,
    MODEL_NAME,
    FeatureSchema,
    FeatureSpec,
    Ranker,
    write_schema,
)
from retrieval.ranking.context import RankContext
from retrieval.ranking.features import FeatureComputer
from retrieval.ranking.schema import schema_of
from retrieval.state import ServingState
from tests.made_artifacts import MADE_AT

SENT = "margin"
"""The feature that callers of the small shop's ranker send."""

LESSONS = 40
PER_LESSON = 30


def plain_schema(width: int) -> FeatureSchema:
    """Return a schema of columns `f0`, `f1` and so on."""
    features = tuple(FeatureSpec(name=f"f{at}") for at in range(width))
    return FeatureSchema(version=1, features=features, sources=())


def train_trees(
    features: FloatMatrix, labels: Any, *, group: Any = None, rounds: int = 20, **settings: Any
) -> lightgbm.Booster:
    """Train trees on one thread; columns are called `f0`, `f1` and so on unless `names` are given."""
    names = settings.pop("names", [f"f{at}" for at in range(features.shape[1])])
    parameters = {
        "objective": "lambdarank" if group is not None else "regression",
        "num_threads": 1,
        "verbosity": -1,
        "seed": 7,
        **settings,
    }
    data = lightgbm.Dataset(
        features, np.array(labels), group=group, feature_name=list(names), params=parameters
    )
    return lightgbm.train(parameters, data, num_boost_round=rounds)


def write_ranker(folder: Path, text: str, schema: FeatureSchema) -> Path:
    """Seal a model in LightGBM's text format; nothing is checked, so that a test may plant faults."""
    with staged_folder(folder) as staging:
        (staging / MODEL_NAME).write_text(text, "utf-8")
        (staging / METRICS_NAME).write_text("{}", "utf-8")
        (staging / "importance.png").write_bytes(b"kept by the trainer alone")
        write_schema(staging, schema)
        seal(staging, kind="ranker", id="made", config={}, inputs={}, versions={}, now=MADE_AT)
    return folder


def ranker_of(folder: Path, booster: lightgbm.Booster, schema: FeatureSchema) -> Ranker:
    """Return trees as a sealed ranker."""
    return Ranker.open(write_ranker(folder, booster.model_to_string(), schema))


def write_shop_ranker(folder: Path, state: ServingState) -> Path:
    """Train a ranker on made lessons of a snapshot's items: every fifth is wanted, and margins count."""
    rng = np.random.default_rng(31)
    schema = schema_of(state.snapshot, extra=[SENT])
    computer = FeatureComputer.of(state.snapshot, schema)
    blocks, labels = [], []
    for _ in range(LESSONS):
        visited = rng.choice(120, 3, replace=False).astype(np.int32)
        rows = np.sort(rng.choice(len(state.snapshot.items), PER_LESSON, replace=False))
        margins = rng.random((PER_LESSON, 1), dtype=np.float32)
        margins[rng.random(PER_LESSON) < 0.3] = np.nan
        features = computer.features(RankContext.of(visited), rows.astype(np.int32), margins)
        blocks.append(features)
        labels.append(_wanted(rows, visited, margins[:, 0]))
    booster = train_trees(
        np.concatenate(blocks),
        np.concatenate(labels),
        group=np.full(LESSONS, PER_LESSON),
        names=schema.names,
        num_leaves=8,
        min_data_in_leaf=5,
    )
    return write_ranker(folder, booster.model_to_string(), schema)


def _wanted(rows: Any, visited: IntVector, margins: Any) -> Any:
    alike = np.isin(rows % 4, visited % 4)  # of the category of something visited
    return (alike & (rows < 150)).astype(int) + (np.nan_to_num(margins) > 0.7)
