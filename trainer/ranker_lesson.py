"""What LightGBM is taught: the contexts of a ranking table, weighed, but those that missed all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import lightgbm
import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.errors import ConfigError, DataError
from artifacts.ranking_table import RankingTable
from trainer.list_gains import ideal_gains
from trainer.ranker_config import RankerConfig
from trainer.ranker_parts import take_contexts


@dataclass(frozen=True, slots=True)
class RankerLesson:
    """The contexts of a table but those in which all that came next was missed: they teach nothing.

    Attributes:
        table: these contexts.
        weights: (n,) float32, the share of the ideal order that candidates could reach, the same for
            all candidates of a context: it makes LightGBM's NDCG, whose ideal order is that of the
            candidates, the one that counts what was missed. None where nothing was.
        positions: (n,) int32 rank in the list that shoppers saw, where its bias is to be learnt.
    """

    table: RankingTable
    weights: FloatVector | None
    positions: IntVector | None

    @classmethod
    def of(cls, table: RankingTable, gains: Sequence[float], config: RankerConfig) -> Self:
        """Take what can be learnt from a table.

        Raises:
            DataError: no hit, a label that is no grade, or an infinite feature.
            ConfigError: the table does not have the source of the position bias.

        Cost: one copy of the contexts that are taken.
        """
        _check_labels(table)
        _check_features(table)
        alone, ideal = (
            ideal_gains(table, gains, config.k, missed=missed) for missed in (False, True)
        )
        if not (alone > 0).any():
            raise DataError(
                f"ranking table: expected candidates that came next, found none in {len(table)} "
                f"context(s) of {len(table.labels)} candidate(s)"
            )
        # Where nothing at all came next nothing was missed: such contexts stay, as in LightGBM.
        kept = np.flatnonzero((alone > 0) | (ideal == 0))
        taken = take_contexts(table, kept)
        share = np.divide(alone, ideal, out=np.ones(len(table)), where=ideal > 0)[kept]
        weights = None if (share == 1).all() else np.repeat(share, taken.sizes).astype(np.float32)
        return cls(taken, weights, _positions(taken, config))

    def dataset(
        self, settings: dict[str, Any], *, reference: lightgbm.Dataset | None = None
    ) -> lightgbm.Dataset:
        """Return it as LightGBM takes it, binned as `reference` where there is one."""
        table = self.table
        return lightgbm.Dataset(
            np.asarray(table.features),
            label=table.labels.astype(np.float32),
            reference=reference,
            weight=self.weights,
            group=table.sizes,
            feature_name=list(table.schema.names),
            params=settings,
            position=None if reference else self.positions,
        )


def _check_labels(table: RankingTable) -> None:
    labels = table.labels
    if labels.dtype != np.int8:
        raise DataError(f"ranking table: expected grades of int8, got {labels.dtype}")
    low, high = (int(end) for end in (labels.min(initial=0), labels.max(initial=0)))
    if low < 0 or high > table.grades:
        raise DataError(
            f"ranking table: expected grades from 0 to {table.grades}, got {low} to {high}"
        )


def _check_features(table: RankingTable) -> None:
    """Refuse infinity, which is no number to split at; NaN stands for what is absent."""
    for column, name in enumerate(table.schema.names):
        wrong = np.isinf(table.features[:, column])
        if wrong.any():
            raise DataError(
                f"ranking table: feature {name!r}: expected finite numbers or NaN, got infinity in "
                f"{int(wrong.sum())} row(s), the first is row {int(wrong.argmax())}"
            )


def _positions(table: RankingTable, config: RankerConfig) -> IntVector | None:
    if config.position_bias is None:
        return None
    source, sources = config.position_bias.source, table.schema.sources
    if source not in sources:
        raise ConfigError(
            f"train.ranker.position_bias.source: expected one of {sorted(sources)}, got {source!r}"
        )
    positions: NDArray[np.int32] = table.ranks[:, sources.index(source)].astype(np.int32)
    return positions
