"""Scores of the kernel are LightGBM's, to the last bit."""

import sys
import threading
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from artifacts.errors import ArtifactError, BackendUnavailableError
from retrieval.ranking.forest import Forest
from retrieval.ranking.model import RankModel
from tests.made_ranker import plain_schema, ranker_of, train_trees, write_ranker

ROWS, WIDTH = 400, 6
ODD = np.array(
    [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-35, -1e-35, 1e-36, 3e38, -3e38, 1e-44], np.float32
)


def made_features(seed: int, *, absent: float = 0.2, rows: int = ROWS) -> Any:
    """Return features of every sort: real, counted with many zeros, flags, and absent ones."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, WIDTH))
    features[:, 1] = rng.poisson(0.7, rows)
    features[:, 2] = rng.random(rows) < 0.5
    features[:, 3] *= 10.0 ** rng.integers(-30, 30, rows)
    features[rng.random((rows, WIDTH)) < absent] = np.nan
    return features.astype(np.float32)


def thresholds_of(booster: lightgbm.Booster) -> dict[int, list[float]]:
    """Return the thresholds of each feature, as the model's text has them."""
    found: dict[int, list[float]] = {column: [] for column in range(WIDTH)}
    lines = booster.model_to_string().split("\n")
    features = [line.split("=")[1].split() for line in lines if line.startswith("split_feature=")]
    thresholds = [line.split("=")[1].split() for line in lines if line.startswith("threshold=")]
    for of_tree, values in zip(features, thresholds, strict=False):
        for column, value in zip(of_tree, values, strict=True):
            found[int(column)].append(float(value))
    return found


def hard_features(booster: lightgbm.Booster, seed: int) -> Any:
    """Return features that lie on thresholds and right beside them, and odd numbers."""
    rng = np.random.default_rng(seed)
    features = made_features(seed, rows=2 * ROWS)
    for column, found in thresholds_of(booster).items():
        thresholds = np.clip(found, -3e38, 3e38).astype(np.float32)
        sides = rng.choice(np.array([-np.inf, np.inf], np.float32), len(thresholds))
        values = np.concatenate([thresholds, np.nextafter(thresholds, sides), ODD])
        features[:ROWS, column] = rng.choice(values, ROWS)
    return features


def predicted(booster: lightgbm.Booster, features: Any, **settings: Any) -> Any:
    return booster.predict(features, **settings)


def model_of(folder: Path, booster: lightgbm.Booster) -> RankModel:
    return RankModel(ranker_of(folder / "ranker", booster, plain_schema(WIDTH)))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"num_leaves": 2},
        {"num_leaves": 127, "min_data_in_leaf": 1},
        {"boosting": "dart"},
        {"monotone_constraints": [1, -1, 0, 0, 1, 0]},
        {"linear_tree": False, "extra_trees": True, "feature_fraction": 0.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", range(4))
def test_scores_are_those_of_lightgbm_to_the_last_bit(tmp_path, settings, seed):
    rng = np.random.default_rng(seed)
    features = made_features(seed)
    labels = np.nan_to_num(features[:, 0]) + 0.3 * np.isnan(features[:, 4]) + rng.random(ROWS)
    booster = train_trees(features, labels, **settings)
    asked = hard_features(booster, seed + 50)
    model = model_of(tmp_path, booster)
    assert np.array_equal(model.scores(asked), predicted(booster, asked))


@pytest.mark.parametrize("seed", range(4))
def test_scores_of_lambdarank_are_its_predictions(tmp_path, seed):
    rng = np.random.default_rng(seed)
    features = made_features(seed)
    labels = rng.integers(0, 3, ROWS) * (np.nan_to_num(features[:, 1]) > 0)
    booster = train_trees(features, labels, group=np.full(ROWS // 20, 20), rounds=40)
    model = model_of(tmp_path, booster)
    assert len(model) == booster.num_trees()
    assert np.array_equal(model.scores(features), predicted(booster, features))


def test_scores_without_missing_values_in_training_take_nan_for_zero(tmp_path):
    features = made_features(1, absent=0.0)
    booster = train_trees(features, features[:, 0] + features[:, 1])
    asked = made_features(2, absent=0.5)
    assert np.array_equal(model_of(tmp_path, booster).scores(asked), predicted(booster, asked))


def test_trees_without_a_split_give_every_row_their_constant(tmp_path):
    features = made_features(1)
    booster = train_trees(features, np.arange(ROWS), min_data_in_leaf=ROWS, rounds=3)
    model = model_of(tmp_path, booster)
    assert np.array_equal(model.scores(features), predicted(booster, features))


def test_no_rows_have_no_scores(tmp_path):
    features = made_features(1)
    model = model_of(tmp_path, train_trees(features, features[:, 2] > 0))
    assert model.scores(features[:0]).shape == (0,)


def test_a_row_scores_the_same_alone_and_among_others(tmp_path):
    features = made_features(3)
    model = model_of(tmp_path, train_trees(features, np.nan_to_num(features[:, 0])))
    together = model.scores(features)
    alone = [model.scores(features[at : at + 1])[0] for at in range(ROWS)]
    assert np.array_equal(together, alone)


def test_contributions_sum_to_the_score_and_are_those_of_lightgbm(tmp_path):
    features = made_features(4)
    booster = train_trees(features, np.nan_to_num(features[:, 0]) ** 2)
    model = model_of(tmp_path, booster)
    parts = model.contributions(features)
    assert parts.shape == (ROWS, WIDTH + 1)
    assert np.array_equal(parts, predicted(booster, features, pred_contrib=True))
    np.testing.assert_allclose(parts.sum(axis=1), model.scores(features), rtol=0, atol=1e-9)


def test_threads_share_a_model(tmp_path):
    features = made_features(5)
    model = model_of(tmp_path, train_trees(features, np.nan_to_num(features[:, 0])))
    scores, parts = model.scores(features), model.contributions(features)
    found: list[bool] = []

    def ask() -> None:
        for _ in range(5):
            same = np.array_equal(model.scores(features), scores)
            found.append(same and np.array_equal(model.contributions(features), parts))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20


def test_contributions_without_lightgbm_name_what_brings_it(tmp_path, monkeypatch):
    features = made_features(6)
    model = model_of(tmp_path, train_trees(features, np.nan_to_num(features[:, 0])))
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(BackendUnavailableError, match="trainer"):
        model.contributions(features)
    assert len(model.scores(features)) == ROWS


def test_other_features_than_the_schema_says_are_refused(tmp_path):
    features = made_features(7)
    booster = train_trees(features, np.nan_to_num(features[:, 0]))
    ranker = ranker_of(tmp_path / "ranker", booster, plain_schema(WIDTH + 1))
    with pytest.raises(ArtifactError, match="features of its schema"):
        RankModel(ranker)


def faulty(text: str) -> dict[str, str]:
    """Return models that must not be followed, by what is wrong with them."""
    first = next(line for line in text.split("\n") if line.startswith("left_child="))
    splits = next(line for line in text.split("\n") if line.startswith("split_feature="))
    decisions = next(line for line in text.split("\n") if line.startswith("decision_type="))
    thresholds = next(line for line in text.split("\n") if line.startswith("threshold="))
    ends = first.split(" ", 1)[-1]
    return {
        "empty": "",
        "no model": "a letter to the shop",
        "cut": text[: len(text) // 3],
        "no trees": text.split("\nTree=0")[0],
        "classes": text.replace("num_class=1", "num_class=3"),
        "average": text.replace("num_class=1", "average_output\nnum_class=1"),
        "categories": text.replace(decisions, decisions[:-1] + "1", 1),
        "linear": text.replace("is_linear=0", "is_linear=1", 1),
        "loop": text.replace(first, f"left_child=0 {ends}", 1),
        "beyond": text.replace(first, f"left_child=999 {ends}", 1),
        "feature": text.replace(splits, "split_feature=99 " + splits.split(" ", 1)[-1], 1),
        "threshold": text.replace(thresholds, "threshold=nan " + thresholds.split(" ", 1)[-1], 1),
        "short": text.replace(thresholds, thresholds.rsplit(" ", 1)[0], 1),
    }


def test_models_that_cannot_be_followed_are_refused(tmp_path):
    features = made_features(8)
    booster = train_trees(features, np.nan_to_num(features[:, 0]))
    for name, text in faulty(booster.model_to_string()).items():
        folder = write_ranker(tmp_path / name, text, plain_schema(WIDTH))
        with pytest.raises(ArtifactError, match=r"model\.txt"):
            Forest.read(folder / "model.txt")
