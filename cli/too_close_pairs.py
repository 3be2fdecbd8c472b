"""Pairs of items around a threshold, by title."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from artifacts.arrays import FloatMatrix, IntMatrix, IntVector, unit_rows
from artifacts.snapshot import Snapshot
from cli.banded_lists import BandedLists
from cli.too_close_report import ExamplePair, ThresholdName

PAIRS = 3
LOOKED_AT = 40
"""Places nearest to a threshold among which pairs of different titles are looked for."""


@dataclass(frozen=True, slots=True)
class PairExamples:
    """Finds pairs whose likeness is next to a value.

    Attributes:
        snapshot: has the titles.
        searched: what lists were searched with.
        lists: (s, k) lists without thresholds.
        likeness: (s, k) of each item with the source, or with its likest better item.
        threshold: what the pairs are about.
    """

    snapshot: Snapshot
    searched: BandedLists
    lists: IntMatrix
    likeness: FloatMatrix
    threshold: ThresholdName

    def around(self, value: float, *, removed: bool) -> tuple[ExamplePair, ...]:
        """Return the pairs nearest to a value on its removed or its kept side, nearest first."""
        beyond = self.likeness < value if self._is_floor else self.likeness > value
        wanted = (beyond if removed else ~beyond) & ~np.isnan(self.likeness)
        distances = np.where(wanted, np.abs(self.likeness - np.float32(value)), np.inf).ravel()
        nearest = np.argpartition(distances, min(LOOKED_AT, len(distances)) - 1)[:LOOKED_AT]
        nearest = nearest[np.argsort(distances[nearest], kind="stable")]
        found: dict[frozenset[str], ExamplePair] = {}
        for pair in self._pairs(nearest[np.isfinite(distances[nearest])].astype(np.int32)):
            found.setdefault(frozenset((pair.source, pair.item)), pair)
        return tuple(found.values())[:PAIRS]

    @property
    def _is_floor(self) -> bool:
        return self.threshold == "min_similarity"

    def _pairs(self, places: IntVector) -> Iterator[ExamplePair]:
        for place in places.tolist():
            line, column = divmod(place, self.lists.shape[1])
            item = int(self.lists[line, column])
            yield ExamplePair(
                likeness=float(self.likeness[line, column]),
                source=self._name(self._other(line, column)),
                item=self._name(item),
            )

    def _other(self, line: int, column: int) -> int:
        """Return the row that an item was found alike to."""
        if self.threshold != "max_between":
            return int(self.searched.sources[line])
        better = self.lists[line, : column + 1]
        table = self.searched.table
        units = unit_rows(table.vectors[table.positions(better)])
        return int(better[(units[:-1] @ units[-1]).argmax()])

    def _name(self, row: int) -> str:
        return self.snapshot.catalog.titles[row] or self.snapshot.items.id(row)
