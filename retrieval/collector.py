"""The answer to one entry while it is being made."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from retrieval.answer import FILTER_STAGES, Answer, Shortfall, ShortfallReason, Stage
from retrieval.candidates import Candidate, Origin, PlainList, Source
from retrieval.entry_band import EntryBand
from retrieval.plan import Plan
from retrieval.query_vector import QueryVector

FEW = 8
"""Rows that are compared one by one."""

NONE_REMOVED: NDArray[np.int64] = np.zeros(len(Stage), dtype=np.int64)


class Collector:
    """Takes candidates from one source after another until there are k.

    What stands in the way of a row is decided here and nowhere else, for every source alike.

    Args:
        plan: k and the filter.
        own: rows of the query items and whatever else is never in the answer.
        query: what likeness is measured to; None where the query has no vector.
        band: what is too close or too far; None where nothing is.
    """

    __slots__ = (
        "_barred",
        "_elsewhere",
        "_plain",
        "_removed",
        "_seen",
        "_taken",
        "band",
        "own",
        "plan",
        "query",
    )

    def __init__(
        self,
        plan: Plan,
        own: tuple[int, ...],
        query: QueryVector | None,
        band: EntryBand | None = None,
    ) -> None:
        self.plan = plan
        self.own = own
        self.query = query
        self.band = band
        # A comparison each is quicker for a few; a shopper may have bought hundreds.
        self._barred = np.array(own, dtype=np.int32) if len(own) > FEW else None
        self._taken: list[Candidate] = []
        self._plain: PlainList | None = None
        self._seen: list[int] = []
        self._removed: dict[Source, NDArray[np.int64]] = {}
        self._elsewhere = NONE_REMOVED

    @property
    def candidates(self) -> Sequence[Candidate]:
        """What was taken so far, best first."""
        return self._taken if self._plain is None else self._plain

    @property
    def plain(self) -> PlainList | None:
        """The answer, where it is one list as it came."""
        return self._plain

    @property
    def missing(self) -> int:
        """Candidates still wanted."""
        return self.plan.k - len(self._seen)

    @property
    def takes_plain(self) -> bool:
        """Whether nothing stands in the way of a row but that it may be the query's own."""
        return self.plan.is_open and self.band is None and not self._seen

    @property
    def spare(self) -> int:
        """How many rows of a list may be lost to the query itself and to earlier sources."""
        return len(self.own) + len(self._seen)

    def judge(
        self,
        rows: IntVector,
        *,
        aside: tuple[int, ...] = (),
        asking: QueryVector | None = None,
    ) -> NDArray[np.int8]:
        """Say of each row which `Stage` removes it, 0 if none does.

        Args:
            rows: (m,) vocabulary rows, best first: what is too close to a better one depends on
                the order.
            aside: rows that are no answer, beside those of the query.
            asking: what the band is measured to where the query has no vector.
        """
        verdicts = self.judge_alone(rows)
        for row in aside:
            verdicts[rows == row] = Stage.QUERY_ITEM
        if self.band is None:
            return verdicts
        held = np.array(self._seen, dtype=np.int32)
        query = self.query or asking
        return self.band.judge(rows, verdicts, held=held, wanted=self.missing, query=query)

    def judge_listed(self, rows: IntVector) -> NDArray[np.int8]:
        """Judge a list of the query itself that was made within the bands of the space."""
        if self._seen or (self.band is not None and self.band.is_wished):
            return self.judge(rows)
        return self.judge_alone(rows)

    def judge_alone(self, rows: IntVector) -> NDArray[np.int8]:
        """Do what `judge` does without looking at what is too close or too far."""
        if self.plan.is_open:
            verdicts = np.zeros(len(rows), dtype=np.int8)
        else:
            verdicts = self.plan.filter.judge(rows, self.query)
        if self._seen:
            verdicts[(verdicts == Stage.PASSED) & np.isin(rows, self._seen)] = Stage.DUPLICATE
        if self._barred is not None:
            verdicts[np.isin(rows, self._barred)] = Stage.QUERY_ITEM
            return verdicts
        for row in self.own:
            verdicts[rows == row] = Stage.QUERY_ITEM
        return verdicts

    def judge_mixed(self, rows: IntVector) -> NDArray[np.int8]:
        """Judge rows that were judged as members of their lists: only against each other."""
        verdicts = np.zeros(len(rows), dtype=np.int8)
        if self.band is None:
            return verdicts
        held = np.array(self._seen, dtype=np.int32)
        return self.band.judge(rows, verdicts, held=held, wanted=self.missing, query=None)

    def adopt(self, candidates: Sequence[Candidate], verdicts: NDArray[np.int8]) -> None:
        """Take the best candidates that passed, until k, as they are.

        Args:
            candidates: (m,) best first, none of them in the answer yet.
            verdicts: (m,) what `judge_mixed` said of their rows.
        """
        places = np.flatnonzero(verdicts == Stage.PASSED)[: self.missing].tolist()
        full = len(places) == self.missing and len(places) > 0
        self._elsewhere = self._elsewhere + _counts(
            verdicts[: places[-1] + 1] if full else verdicts
        )
        self._seen.extend(candidates[place].row for place in places)
        self._taken.extend(candidates[place] for place in places)

    def count_removed_from(self, other: "Collector") -> None:
        """Add what a list lost that this answer is mixed from."""
        self._elsewhere = self._elsewhere + other.removed_counts()

    def take(
        self,
        rows: IntVector,
        scores: FloatVector,
        verdicts: NDArray[np.int8],
        origin: Origin,
        ahead: int = 0,
    ) -> None:
        """Take the best rows that passed, until k, and count what the others fell to.

        Args:
            rows: (m,) best first, without padding.
            scores: (m,) on the scale of `origin.kind`.
            verdicts: (m,) what `judge` said of the rows.
            origin: where the list comes from.
            ahead: how many rows of the list came before these.
        """
        places = np.flatnonzero(verdicts == Stage.PASSED)[: self.missing]
        full = len(places) == self.missing and len(places) > 0
        end = int(places[-1]) + 1 if full else len(rows)
        self.count_removed(verdicts[:end], origin.source)
        taken = rows[places].tolist()
        self._seen.extend(taken)
        source, kind, anchor, likeness = origin
        self._taken.extend(
            Candidate(row, score, kind, source, ahead + place + 1, anchor, likeness)
            for row, score, place in zip(
                taken, scores[places].tolist(), places.tolist(), strict=True
            )
        )

    def take_plain(self, chosen: PlainList, own_removed: int) -> None:
        """Take k rows at once where `takes_plain` says that they need no judging.

        Args:
            chosen: (k,) best first, none of them the query's own.
            own_removed: how many rows of the query itself stood among them.
        """
        assert self.takes_plain, "bug: rows that need judging"
        self._plain = chosen
        self._seen.extend(chosen.rows)
        if own_removed or self._removed:
            self.count_removed(np.full(own_removed, Stage.QUERY_ITEM, np.int8), chosen.source)

    def count_removed(self, verdicts: NDArray[np.int8], source: Source) -> None:
        """Add to the removals of `source`.

        A live search begins with the list that was precomputed from it, so its removals replace
        those of that list instead of counting them twice.
        """
        if source is Source.LIVE:
            self._removed.pop(Source.PRECOMPUTED, None)
        self._removed[source] = self._removed.get(source, NONE_REMOVED) + _counts(verdicts)

    def removed_counts(self) -> NDArray[np.int64]:
        """Return the removals by stage."""
        counts: NDArray[np.int64] = sum(self._removed.values(), start=self._elsewhere)
        return counts

    def answer(
        self,
        *,
        skipped: tuple[str, ...] = (),
        reason: ShortfallReason | None = None,
        debug: bool = False,
    ) -> Answer:
        """Return what was collected.

        Args:
            skipped: ids that the snapshot does not know.
            reason: why the answer is short, where the caller knows better than the counts.
            debug: measure how similar each candidate is to the query.
        """
        removed = self._totals()
        shortfall = None
        if self.missing > 0:
            filtered = any(stage in removed for stage in FILTER_STAGES)
            found = ShortfallReason.FILTERED if filtered else ShortfallReason.EXHAUSTED
            shortfall = Shortfall(self.plan.k, len(self.candidates), reason or found)
        return Answer(
            candidates=self.candidates,
            shortfall=shortfall,
            skipped=skipped,
            removed=removed,
            similarities=self._similarities() if debug else (),
        )

    def _totals(self) -> dict[Stage, int]:
        if not self._removed and self._elsewhere is NONE_REMOVED:
            return {}
        counts = self.removed_counts()
        return {stage: int(counts[stage]) for stage in Stage if counts[stage]}

    def _similarities(self) -> Sequence[float]:
        if self.query is None:
            return [float("nan")] * len(self.candidates)
        rows = np.array([candidate.row for candidate in self.candidates], dtype=np.int32)
        return [float(cosine) for cosine in self.query.cosines(rows)]


def _counts(verdicts: NDArray[np.int8]) -> NDArray[np.int64]:
    """Count the removals of each stage."""
    counts = np.bincount(verdicts, minlength=len(Stage))
    counts[Stage.PASSED] = 0
    return counts
