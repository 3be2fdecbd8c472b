"""LambdaMART: trees that order the candidates of a context (Burges 2010), fitted by LightGBM."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from lightgbm.callback import CallbackEnv
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix
from artifacts.errors import ArtifactError, DataError
from artifacts.progress import Progress
from artifacts.ranker import FeatureSchema
from artifacts.ranking_table import RankingTable
from trainer.list_gains import ListLengths, value_lists
from trainer.ranker_config import RankerConfig
from trainer.ranker_lesson import RankerLesson

VALIDATION = "validation"
SCORED_ROWS = 1 << 18
"""Candidates that are scored at a time, which bounds what prediction needs in memory."""


@dataclass(frozen=True, slots=True)
class FittedRanker:
    """Trees and what they read.

    Attributes:
        booster: trees of all rounds.
        schema: the columns.
        rounds: trees that are used, from the first on: those of the best validation NDCG.
        grades: the highest grade of the tables.
    """

    booster: lightgbm.Booster
    schema: FeatureSchema
    rounds: int
    grades: int

    def scores(self, table: RankingTable) -> NDArray[np.float64]:
        """Return the score (n,) of every candidate, higher for better.

        Raises:
            ArtifactError: the table is of another schema.
        """
        if table.schema != self.schema:
            raise ArtifactError(
                f"ranker: expected a table of schema {self.schema.fingerprint}, got one of "
                f"{table.schema.fingerprint}"
            )
        blocks = [
            self._predict(np.ascontiguousarray(table.features[start : start + SCORED_ROWS]))
            for start in range(0, len(table.rows), SCORED_ROWS)
        ]
        return np.concatenate([np.empty(0), *blocks])

    @property
    def text(self) -> str:
        """The trees that are used, in LightGBM's text format."""
        written: str = self.booster.model_to_string(num_iteration=self.rounds)
        return written

    def importance(self, kind: str) -> NDArray[np.float64]:
        """Return, by column, the loss that its splits took away (`gain`) or their number (`split`)."""
        found = self.booster.feature_importance(importance_type=kind, iteration=self.rounds)
        return np.asarray(found, dtype=np.float64)

    def ndcg(self, table: RankingTable, config: RankerConfig) -> float:
        """Return the mean NDCG of the contexts of a table, those without a hit counting 0."""
        gains, lengths = config.gains_of(self.grades), ListLengths(config.k, config.k)
        return float(value_lists(table, self.scores(table), gains, lengths).ndcg.mean())

    def _predict(self, features: FloatMatrix) -> NDArray[np.float64]:
        return np.asarray(self.booster.predict(features, num_iteration=self.rounds))


def fit_ranker(
    train: RankingTable,
    validation: RankingTable,
    config: RankerConfig,
    *,
    progress: Progress,
) -> FittedRanker:
    """Fit trees to one table and end where the NDCG on another one no longer rises.

    What came next and is no candidate still belongs to the ideal order: a context weighs as much as
    its candidates could reach of it, so that gradients and validation NDCG are those of the NDCG
    that is reported. Contexts that could reach nothing are left out. Where nothing was missed, the
    trees are those of LightGBM under the same parameters.

    Args:
        train: what the trees are fitted to.
        validation: of the same schema, later.
        config: settings.
        progress: shown one step a round.

    Raises:
        DataError: a table has no hit, a label that is no grade, an infinite feature (NaN is one that
            is absent), or no feature that tells candidates apart.
        ArtifactError: the tables differ in schema.
        ConfigError: too few gains, or a source of the position bias that the table does not have.

    Cost: O(rounds * n * f) time; LightGBM holds each feature of a candidate in a byte.
    """
    if train.schema != validation.schema:
        raise ArtifactError("ranker: expected training and validation tables of one schema")
    grades = max(train.grades, validation.grades)
    gains = config.gains_of(grades)
    lessons = [RankerLesson.of(part, gains, config) for part in (train, validation)]
    progress.start("train ranker", total=config.rounds)
    settings = parameters(config, train.schema, gains)
    booster = _boost(lessons, config, settings, progress)
    rounds = booster.best_iteration or booster.current_iteration()
    fitted = FittedRanker(booster, train.schema, rounds, grades)
    if not fitted.importance("split").any():
        raise DataError(
            f"ranking table: expected a feature that tells candidates apart, found none in "
            f"{train.schema.width} feature(s) of {len(train.rows)} candidate(s)"
        )
    progress.finish(f"{rounds} trees")
    return fitted


def parameters(
    config: RankerConfig, schema: FeatureSchema, gains: Sequence[float]
) -> dict[str, Any]:
    """Return LightGBM's parameters for these settings."""
    found: dict[str, Any] = {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [config.k],
        "label_gain": list(gains),
        "lambdarank_truncation_level": config.truncation,
        "learning_rate": config.learning_rate,
        "num_leaves": config.leaves,
        "min_data_in_leaf": config.min_data_in_leaf,
        "lambda_l2": config.l2,
        "feature_fraction": config.feature_fraction,
        "seed": config.seed,
        "deterministic": True,
        "force_row_wise": True,  # else the layout, and with it the sums, are chosen by a stopwatch
        "num_threads": config.threads or 0,
        "verbosity": -1,
    }
    directions = [feature.monotone for feature in schema.features]
    if config.monotone and any(directions):
        found["monotone_constraints"] = directions
    if config.position_bias is not None:
        strength = config.position_bias.regularisation
        found["lambdarank_position_bias_regularization"] = strength
    return found


def _boost(
    lessons: Sequence[RankerLesson],
    config: RankerConfig,
    settings: dict[str, Any],
    progress: Progress,
) -> lightgbm.Booster:
    train, validation = lessons
    learnt = train.dataset(settings)
    callbacks: list[Callable[[CallbackEnv], None]] = [lambda round: progress.advance()]
    if config.early_stopping:
        callbacks.append(lightgbm.early_stopping(config.early_stopping, verbose=False))
    return lightgbm.train(
        settings,
        learnt,
        num_boost_round=config.rounds,
        valid_sets=[validation.dataset(settings, reference=learnt)],
        valid_names=[VALIDATION],
        callbacks=callbacks,
    )
