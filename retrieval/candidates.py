"""One item on its way into an answer, and where it came from."""

from enum import StrEnum
from typing import NamedTuple

from artifacts.neighbors import PAD_ROW
from artifacts.relation import ScoreKind


class Source(StrEnum):
    """What can produce candidates; a serving config lists them in the order they are tried."""

    PRECOMPUTED = "precomputed"  # the neighbour table of the snapshot
    LIVE = "live"  # a search in an index while the caller waits
    HYBRID = "hybrid"  # the collaborative list of the nearest popular content neighbour
    SESSION_KNN = "session_knn"  # sessions similar to the caller's
    CO_OCCURRENCE = "co_occurrence"  # items that share sessions with the query
    POPULAR = "popular"  # the most popular items of the category, then of the shop


BUILT_SOURCES = frozenset({Source.PRECOMPUTED, Source.LIVE, Source.POPULAR})
"""The sources that this release has."""


class Candidate(NamedTuple):
    """An item and how it came to be here.

    A tuple, because every answer makes dozens and a frozen dataclass costs several times as much.
    """

    row: int
    """Vocabulary row."""
    score: float
    """Higher is better, on the scale of `kind`."""
    kind: ScoreKind
    source: Source
    rank: int
    """Rank in the list of `source` that it came from, from 1, filtered items counted."""
    anchor: int = PAD_ROW
    """Row of the item whose neighbour this is, where that is not the query itself."""
    anchor_similarity: float | None = None
    """Content cosine of query and anchor."""
    mixed_from: str = ""
    """Name of the list that a mixture took it from."""
