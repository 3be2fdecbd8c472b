"""One item on its way into an answer, and where it came from."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, overload

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


class Origin(NamedTuple):
    """Where a list of candidates comes from."""

    source: Source
    kind: ScoreKind
    """What its scores mean."""
    anchor: int = PAD_ROW
    """Row of the item whose neighbours they are, where that is not the query itself."""
    anchor_similarity: float | None = None
    """Content cosine of query and anchor."""


class Scored(NamedTuple):
    """A score and what it means."""

    score: float
    kind: ScoreKind


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
    unmixed: Scored | None = None
    """Its score in that list; None where nothing was mixed."""


EVERY_RANK = range(1, 1 << 31)
"""Ranks of a list that has lost nothing."""


class PlainList(Sequence[Candidate]):
    """Candidates of one source in its own order, made only where somebody looks at them.

    Most answers are of this kind, and whoever writes them down needs nothing but the columns.

    Attributes:
        rows: vocabulary rows, best first.
        scores: on the scale of `kind`.
        kind: what the scores mean.
        source: where all of them come from.
        ranks: of each in the list of the source, from 1.
    """

    __slots__ = ("kind", "ranks", "rows", "scores", "source")

    def __init__(
        self,
        rows: Sequence[int],
        scores: Sequence[float],
        kind: ScoreKind,
        source: Source,
        ranks: Sequence[int] = EVERY_RANK,
    ) -> None:
        self.rows = rows
        self.scores = scores
        self.kind = kind
        self.source = source
        self.ranks = ranks

    def __len__(self) -> int:
        return len(self.rows)

    def __eq__(self, other: object) -> bool:
        """Tell whether another sequence holds the same candidates."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # compared by what it holds, as lists are

    @overload
    def __getitem__(self, place: int) -> Candidate: ...
    @overload
    def __getitem__(self, place: slice) -> list[Candidate]: ...
    def __getitem__(self, place: int | slice) -> Candidate | list[Candidate]:
        """Return the candidate at a place, or those of a slice."""
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        return Candidate(self.rows[at], self.scores[at], self.kind, self.source, self.ranks[at])
