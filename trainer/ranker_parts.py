"""The contexts of a ranking table in three parts by time: to learn from, to choose by, to report."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.errors import DataError
from artifacts.ranking_table import RankingTable
from trainer.ranker_config import RankerConfig


@dataclass(frozen=True, slots=True)
class RankerParts:
    """Three tables of one schema; everything in one part is before everything in the next.

    Attributes:
        train: what the trees are fitted to.
        validation: what ends the training, chooses the fusion and scores trials.
        test: what the report is about.
    """

    train: RankingTable
    validation: RankingTable
    test: RankingTable


def split_by_time(table: RankingTable, config: RankerConfig) -> RankerParts:
    """Part the contexts so that no part sees the time of the next one.

    Contexts of one time stay together, so shares are met as nearly as times allow, and each part
    holds one time at least.

    Raises:
        DataError: fewer than three times.

    Cost: one copy of the table.
    """
    times, counts = np.unique(table.when, return_counts=True)
    if len(times) < 3:
        raise DataError(
            f"ranking table: expected contexts of at least three times, to learn from, to choose by "
            f"and to report on, got {len(table)} context(s) of {len(times)}"
        )
    before = np.cumsum(counts) / len(table)  # share of the contexts up to each time
    first_test = _nearest(before, 1 - config.test, 2, len(times) - 1)
    share = 1 - config.test - config.validation
    first_validation = _nearest(before, share, 1, first_test - 1)
    part = np.searchsorted([times[first_validation], times[first_test]], table.when, side="right")
    train, validation, test = (
        take_contexts(table, np.flatnonzero(part == which)) for which in range(3)
    )
    return RankerParts(train, validation, test)


def take_contexts(table: RankingTable, contexts: NDArray[np.int64]) -> RankingTable:
    """Return the table of some contexts, in the order given. Cost: one copy of what is taken."""
    sizes = table.sizes[contexts]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    shift = np.repeat(table.offsets[contexts] - offsets[:-1], sizes)
    places = np.arange(offsets[-1]) + shift
    return RankingTable(
        features=np.ascontiguousarray(table.features[places]),
        labels=table.labels[places],
        offsets=offsets,
        rows=table.rows[places],
        ranks=table.ranks[places],
        missed=table.missed[contexts],
        when=table.when[contexts],
        schema=table.schema,
    )


def _nearest(before: NDArray[np.float64], share: float, low: int, high: int) -> int:
    """Return the time, from `low` to `high`, at whose beginning `share` is nearest to be over."""
    begun = before[low - 1 : high]  # share over when time `low`, ..., `high` begins
    return low + int(np.argmin(np.abs(begun - share)))
