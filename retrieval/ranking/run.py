"""Candidates in, order out: a batch of lists."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.errors import (
    BackendUnavailableError,
    DeadlineError,
    RequestError,
    ShelfmateError,
    UnsupportedError,
)
from retrieval.item_ids import checked_id
from retrieval.live_search import LiveSearch
from retrieval.queries import MAX_CANDIDATES, RerankQuery
from retrieval.ranking.candidate_ranker import CandidateRanker, Scores
from retrieval.ranking.context import RankContext, context_of
from retrieval.ranking.ranked import Contributions, Ranked, RankedOutcome
from retrieval.ranking.sent_features import sent_features
from retrieval.state import ServingState


class RerankTask(NamedTuple):
    """What all lists of a batch have in common."""

    state: ServingState
    """The snapshot."""
    ranker: CandidateRanker
    """Scores them."""
    contributions: bool = False
    """Say what each feature added to each score."""
    allow_partial: bool = False
    """Order what can be ordered until the deadline passes."""


class _Entry(NamedTuple):
    """A list that was read."""

    item_ids: Sequence[str]
    rows: IntVector
    """(n,) -1 for what the catalogue does not know."""
    sent: FloatMatrix | None
    context: RankContext
    skipped: tuple[str, ...]


class RerankRun:
    """One batch on its way: read when it is made, ordered list by list by `retrieval.together`.

    Lists of several calls share no call of the model: for a hundred candidates its price lies in
    the trees, and not in the call.

    Attributes:
        is_degraded: never: the order is all that is asked for.
        is_partial: the deadline passed and some lists were not ordered.
    """

    __slots__ = ("_outcomes", "_task", "_waiting", "is_degraded", "is_partial")

    def __init__(self, task: RerankTask, queries: Sequence[RerankQuery]) -> None:
        self._task = task
        self._waiting: dict[int, _Entry] = {}
        self.is_degraded = False
        self.is_partial = False
        self._outcomes = [self._begin(place, query) for place, query in enumerate(queries)]

    @property
    def state(self) -> ServingState:
        """The snapshot."""
        return self._task.state

    @property
    def pending(self) -> bool:
        """Whether a list waits to be ordered."""
        return bool(self._waiting)

    @property
    def searches(self) -> Sequence[LiveSearch]:
        """None: nothing is searched."""
        return ()

    @property
    def outcomes(self) -> Sequence[RankedOutcome]:
        """One for each list, in their order; none may be waiting."""
        assert not self._waiting, "bug: outcomes were read before the lists were ordered"
        return [outcome for outcome in self._outcomes if outcome is not None]

    def go_on(self, expired: DeadlineError | None = None) -> None:
        """Order the next list, so that the deadline can be looked at before the one after it.

        Args:
            expired: the deadline passed: the lists that wait get this error.

        Raises:
            DeadlineError: `expired`, where the caller wants no partial answer.
        """
        if expired is not None:
            if not self._task.allow_partial:
                raise expired
            self.is_partial = True
            for place in self._waiting:
                self._outcomes[place] = expired
            self._waiting.clear()
            return
        place = next(iter(self._waiting))
        entry = self._waiting.pop(place)
        try:
            self._outcomes[place] = self._ordered(entry)
        except ShelfmateError as error:
            self._outcomes[place] = error

    def _begin(self, place: int, query: RerankQuery) -> RankedOutcome | None:
        """Leave a list waiting, or return what is wrong with it."""
        try:
            self._waiting[place] = self._read(query)
        except ShelfmateError as error:
            return error
        return None

    def _read(self, query: RerankQuery) -> _Entry:
        _check_candidates(query.item_ids)
        sent = sent_features(self._task.ranker.schema, query.features)
        context, skipped = context_of(
            self.state.snapshot, query.visits, item_id=query.item_id, user_id=query.user_id
        )
        rows = self.state.snapshot.items.rows(query.item_ids)
        return _Entry(query.item_ids, rows, sent, context, skipped)

    def _ordered(self, entry: _Entry) -> Ranked:
        known = np.flatnonzero(entry.rows >= 0)
        unknown = np.flatnonzero(entry.rows < 0)
        sent = None if entry.sent is None else entry.sent[known]
        scores = self._task.ranker.score(entry.context, entry.rows[known], sent)
        order = scores.order
        places = np.concatenate([known[order], unknown])
        return Ranked(
            item_ids=[entry.item_ids[place] for place in places.tolist()],
            scores=scores.values[order].tolist(),
            schema_version=self._task.ranker.schema_version,
            skipped=entry.skipped,
            contributions=self._contributions(scores) if self._task.contributions else None,
        )

    def _contributions(self, scores: Scores) -> Contributions:
        """Return what features added, best candidate first."""
        ranker, order = self._task.ranker, scores.order
        try:
            parts = ranker.model.contributions(scores.features)
        except BackendUnavailableError as error:
            raise UnsupportedError(f"contributions: {error}") from error
        return Contributions(ranker.schema.names, scores.features[order], parts[order])


def check_candidate_count(count: int) -> None:
    """Return if a list may have so many candidates.

    Raises:
        RequestError: it may not; the path of the field is `candidates`.
    """
    if not 1 <= count <= MAX_CANDIDATES:
        raise RequestError(
            f"candidates: expected 1 to {MAX_CANDIDATES}, got {count}",
            field="candidates",
            reason="CANDIDATE_COUNT_OUT_OF_RANGE",
        )


def _check_candidates(item_ids: Sequence[str]) -> None:
    check_candidate_count(len(item_ids))
    seen: set[str] = set()
    for place, item_id in enumerate(item_ids):
        path = f"candidates[{place}].item_id"
        checked_id(item_id, path=path)
        if item_id in seen:
            raise RequestError(
                f"{path}: expected distinct candidates, got {item_id!r} again",
                field=path,
                reason="DUPLICATE_CANDIDATE",
            )
        seen.add(item_id)
