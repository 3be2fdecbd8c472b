"""What features ask of every item, as arrays by vocabulary row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntMatrix, IntVector
from artifacts.catalog import PATH_SEPARATOR, Catalog
from artifacts.recent_sessions import RecentSessions

UNKNOWN = -1

LATE_SHARE, LATEST_SHARE = 0.1, 0.01
"""Shares of the sessions, the last ones, in which what is asked for now shows."""


@dataclass(frozen=True, slots=True, eq=False)
class CategoryPaths:
    """The category paths of a catalogue.

    Attributes:
        codes: (v,) int32 path of each row, -1 where unknown.
        levels: (u, l) int32 code of each path down to each level, -1 below its end: two paths share
            the levels whose codes are equal.
    """

    codes: IntVector
    levels: IntMatrix

    @classmethod
    def of(cls, paths: Sequence[str | None]) -> "CategoryPaths":
        """Take paths apart. Cost: O(v) look-ups, and O(u l) for u distinct paths."""
        codes, names = code_strings(paths)
        parts = [[part.strip() for part in name.split(PATH_SEPARATOR.strip())] for name in names]
        depth = max((len(levels) for levels in parts), default=0)
        levels = np.full((len(parts), depth), UNKNOWN, dtype=np.int32)
        prefixes: dict[tuple[str, ...], int] = {}
        for at, levels_of in enumerate(parts):
            for level in range(len(levels_of)):
                prefix = tuple(levels_of[: level + 1])
                levels[at, level] = prefixes.setdefault(prefix, len(prefixes))
        return cls(codes, levels)


def code_strings(values: Sequence[str | None]) -> tuple[IntVector, list[str]]:
    """Return (v,) int32 codes, -1 for null or empty, and the distinct strings by code."""
    names: dict[str, int] = {}
    codes = np.fromiter(
        (names.setdefault(value, len(names)) if value else UNKNOWN for value in values),
        dtype=np.int32,
        count=len(values),
    )
    return codes, list(names)


def category_shares(catalog: Catalog) -> FloatVector:
    """Return (v,) float32, the share of each item in the popularity of its top category."""
    counts = np.asarray(catalog.popularity, dtype=np.float64)
    codes = np.asarray(catalog.category_codes)
    totals = np.bincount(codes, weights=counts, minlength=len(catalog.categories))[codes]
    return (counts / np.maximum(totals, 1)).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Trends:
    """How the sessions of each item lie in time.

    Attributes:
        ratios: (v,) float32, logarithm of (sessions among the last tenth + 1) / (a tenth of all
            sessions + 1): above 0 for what is asked for more than it was.
        lates: (v,) float32, logarithm of 1 + sessions among the last tenth.
        latests: (v,) float32, the same among the last hundredth.
        ages: (v,) float32, logarithm of 1 + sessions of the shop since the item's last one; NaN for
            an item without sessions.
    """

    ratios: FloatVector
    lates: FloatVector
    latests: FloatVector
    ages: FloatVector

    @classmethod
    def of(cls, table: RecentSessions) -> "Trends":
        """Count by number of session. Cost: one pass over the table."""
        offsets = np.asarray(table.item_sessions.offsets)
        numbers = np.asarray(table.item_sessions.values)
        kept = len(table.session_items)
        late, latest = (
            _sums(numbers >= (1 - share) * kept, offsets) for share in (LATE_SHARE, LATEST_SHARE)
        )
        expected = LATE_SHARE * np.asarray(table.support, dtype=np.float64)
        held = offsets[1:] > offsets[:-1]
        ages = np.full(len(table), np.nan, dtype=np.float32)
        ages[held] = np.log1p(kept - 1 - numbers[offsets[:-1][held]])
        return cls(
            ratios=np.log((late + 1) / (expected + 1)).astype(np.float32),
            lates=np.log1p(late).astype(np.float32),
            latests=np.log1p(latest).astype(np.float32),
            ages=ages,
        )


def _sums(marks: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of each list's numbers are marked."""
    running = np.concatenate([[0], np.cumsum(marks)])
    sums: NDArray[np.int64] = running[offsets[1:]] - running[offsets[:-1]]
    return sums
