"""Answers ordered by the ranking model, as the last stage of any serving config."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np

from artifacts.errors import DeadlineError
from artifacts.relation import ScoreKind
from retrieval.answer import Answer, Outcome, Shortfall, ShortfallReason
from retrieval.begun import AnsweringRun
from retrieval.candidates import Candidate, Scored
from retrieval.live_search import LiveSearch
from retrieval.plan import Plan
from retrieval.queries import (
    MAX_K,
    AnswerOptions,
    SessionQuery,
    SimilarQuery,
    UserQuery,
    Visit,
)
from retrieval.ranking.candidate_ranker import CandidateRanker
from retrieval.ranking.context import context_of
from retrieval.state import ServingState

Q = TypeVar("Q", SimilarQuery, SessionQuery, UserQuery)


class Wanted(NamedTuple):
    """What an entry asks for."""

    k: int
    """Items."""
    visits: Sequence[Visit] = ()
    item_id: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class LastStage:
    """Over-fetches, and has the model choose.

    Attributes:
        ranker: scores what was fetched.
        candidates: items fetched for an answer, where fewer are wanted.
    """

    ranker: CandidateRanker
    candidates: int

    def around(
        self,
        begin: Callable[[Plan, Sequence[Q]], AnsweringRun],
        plan: Plan,
        queries: Sequence[Q],
        *,
        allow_partial: bool,
    ) -> "RerankedRun":
        """Begin a run that finds more than is wanted, to choose from.

        Args:
            begin: begins the run by options of entries that set none, and entries.
            plan: options of entries that set none.
            queries: the entries.
            allow_partial: answer in the order of the sources when the deadline passes.
        """
        wanted = [_wanted(query, plan.k) for query in queries]
        widened = [
            query
            if query.options is None or query.options.k is None
            else query._replace(options=self._widened(query.options, query.options.k))
            for query in queries
        ]
        run = begin(replace(plan, k=max(plan.k, self.candidates)), widened)
        return RerankedRun(run, self.ranker, wanted, allow_partial=allow_partial)

    def _widened(self, options: AnswerOptions, k: int) -> AnswerOptions:
        # What is out of range stays so, and is refused as ever.
        return replace(options, k=max(k, self.candidates)) if 1 <= k <= MAX_K else options


class RerankedRun:
    """A run whose answers are ordered once it has ended, one after the other.

    What is not ordered when the deadline passes keeps the order of its sources.

    Attributes:
        is_partial: the deadline passed and some entries hold what was ready by then.
    """

    __slots__ = (
        "_allow_partial",
        "_fetched",
        "_inner",
        "_outcomes",
        "_ranker",
        "_wanted",
        "is_partial",
    )

    def __init__(
        self,
        inner: AnsweringRun,
        ranker: CandidateRanker,
        wanted: Sequence[Wanted],
        *,
        allow_partial: bool,
    ) -> None:
        self._inner = inner
        self._ranker = ranker
        self._wanted = wanted
        self._allow_partial = allow_partial
        self._fetched: Sequence[Outcome] | None = None
        self._outcomes: list[Outcome] = []
        self.is_partial = False

    @property
    def state(self) -> ServingState:
        """The snapshot."""
        return self._inner.state

    @property
    def pending(self) -> bool:
        """Whether an answer waits to be found or to be ordered."""
        return len(self._outcomes) < len(self._wanted)

    @property
    def is_degraded(self) -> bool:
        """Whether less was done for an entry than was asked, because of the server's load."""
        return self._inner.is_degraded

    @property
    def searches(self) -> Sequence[LiveSearch]:
        """Those that entries wait for."""
        return self._inner.searches if self._inner.pending else ()

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """One for each entry, in their order; none may be waiting."""
        assert not self.pending, "bug: outcomes were read before they were ordered"
        return self._outcomes

    def go_on(self, expired: DeadlineError | None = None) -> None:
        """Let the run go on, or order the next of its answers.

        Args:
            expired: the deadline passed.

        Raises:
            DeadlineError: `expired`, where the caller wants no partial answer.
        """
        if expired is not None and not self._allow_partial:
            raise expired
        if self._inner.pending:
            self._inner.go_on(expired)
            if self._inner.pending:
                return
        if self._fetched is None:
            self._fetched = self._inner.outcomes
        at = len(self._outcomes)
        if expired is None:
            self._outcomes.append(self._ordered(self._fetched[at], self._wanted[at]))
            return
        self.is_partial = True
        for outcome, wanted in zip(self._fetched[at:], self._wanted[at:], strict=True):
            self._outcomes.append(_cut(outcome, wanted.k))

    def _ordered(self, outcome: Outcome, wanted: Wanted) -> Outcome:
        if not isinstance(outcome, Answer) or not outcome.candidates:
            return _cut(outcome, wanted.k)
        rows = np.array([candidate.row for candidate in outcome.candidates], dtype=np.int32)
        context, _ = context_of(
            self.state.snapshot, wanted.visits, item_id=wanted.item_id, user_id=wanted.user_id
        )
        scores = self._ranker.score(context, rows)
        best = scores.order[: wanted.k].tolist()
        values = scores.values.tolist()
        found = outcome.candidates
        similarities = outcome.similarities
        ordered = outcome._replace(
            candidates=[_scored(found[at], values[at]) for at in best],
            similarities=[similarities[at] for at in best] if similarities else (),
        )
        return ordered._replace(shortfall=_shortfall(outcome, wanted.k))


def _wanted(query: SimilarQuery | SessionQuery | UserQuery, usual: int) -> Wanted:
    k = usual if query.options is None or query.options.k is None else query.options.k
    match query:
        case SimilarQuery():
            return Wanted(k, item_id=query.item_id)
        case SessionQuery():
            return Wanted(k, query.visits)
        case UserQuery():
            return Wanted(k, query.visits, user_id=query.user_id)


def _scored(candidate: Candidate, score: float) -> Candidate:
    """Return a candidate with the model's score beside the one of its list."""
    unmixed = candidate.unmixed or Scored(candidate.score, candidate.kind)
    return candidate._replace(score=score, kind=ScoreKind.RANKER, unmixed=unmixed)


def _cut(outcome: Outcome, k: int) -> Outcome:
    """Return the k first candidates of what was fetched."""
    if not isinstance(outcome, Answer):
        return outcome
    return outcome._replace(
        candidates=outcome.candidates[:k],
        similarities=outcome.similarities[:k],
        shortfall=_shortfall(outcome, k),
    )


def _shortfall(fetched: Answer, k: int) -> Shortfall | None:
    """Return how far an answer falls short of k, whatever it falls short of what was fetched."""
    found = len(fetched.candidates)
    if found >= k:
        return None
    reason = fetched.shortfall.reason if fetched.shortfall else ShortfallReason.EXHAUSTED
    return Shortfall(k, found, reason)
