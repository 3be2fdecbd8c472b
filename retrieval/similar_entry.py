"""One product on its way through the sources."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from artifacts.errors import OverloadedError, UnknownItemError
from artifacts.neighbors import PAD_ROW
from artifacts.relation import Relation
from retrieval.anchors import Anchors, Lending
from retrieval.answer import Answer, ShortfallReason, UnusedAnchor
from retrieval.candidates import Origin, Source
from retrieval.collector import Collector
from retrieval.content_encoder import ProductText
from retrieval.effort import Effort
from retrieval.entry_band import entry_band
from retrieval.hybrid import offer_borrowed
from retrieval.live_search import LiveSearch
from retrieval.plan import Plan
from retrieval.popular import offer_popular
from retrieval.precomputed import PrecomputedLists
from retrieval.query_vector import QueryVector
from retrieval.session_knn_config import SessionKnnConfig
from retrieval.state import ServingState
from retrieval.visit_source import visit_source


@dataclass(frozen=True, slots=True)
class SimilarTask:
    """What all entries of a batch have in common.

    Attributes:
        state: the snapshot.
        space: space of the neighbours.
        relation: what a neighbour means.
        sources: tried in this order.
        plan: options of entries that set none.
        session_knn: how similar sessions are found.
        debug: measure the similarity of each candidate.
        allow_partial: answer with what there is when the deadline passes.
        lists: precomputed lists that answer by themselves; None where something has to be judged.
    """

    state: ServingState
    space: str
    relation: Relation
    sources: tuple[Source, ...]
    plan: Plan
    session_knn: SessionKnnConfig
    debug: bool = False
    allow_partial: bool = False
    lists: PrecomputedLists | None = field(init=False)

    def at(self, effort: Effort) -> "SimilarTask":
        """Return this task as it is carried out at an effort."""
        return replace(self, plan=self.plan.at(effort))

    def __post_init__(self) -> None:
        plain = self.sources[0] is Source.PRECOMPUTED and self.plan.is_open and not self.debug
        lists = self.state.precomputed.get((self.space, self.relation)) if plain else None
        object.__setattr__(self, "lists", lists)


class Subject(NamedTuple):
    """The product that an entry asks about."""

    row: int
    """Its row, -1 if the snapshot does not know it."""
    category: int | None
    """Code of its top category, None where it is unknown."""
    text: ProductText | None = None
    """What the caller tells of it."""
    skipped: tuple[str, ...] = ()
    """Ids that the snapshot does not know."""
    apart: tuple[int, ...] = ()
    """Rows that are never in the answer; empty for the product's own alone."""


class SimilarEntry:
    """Fills one answer from source after source; stops where a search is needed.

    Args:
        task: the batch's settings.
        plan: this entry's options.
        subject: the product.

    Attributes:
        search: the search that it waits for, if any.
        is_cut: a source was left out because of the server's load.
    """

    __slots__ = (
        "_answered",
        "_next",
        "_row",
        "_subject",
        "_task",
        "_unused_anchor",
        "collector",
        "is_cut",
        "search",
    )

    def __init__(self, task: SimilarTask, plan: Plan, subject: Subject) -> None:
        self._task = task
        self._subject = subject
        self._row = row = subject.row
        self._next = 0
        self._answered = False
        self._unused_anchor: UnusedAnchor | None = None
        self.search: LiveSearch | None = None
        self.is_cut = False
        known = row != PAD_ROW
        query = QueryVector.of_item(task.state.snapshot.spaces[task.space], row) if known else None
        key = (task.space, task.relation)
        band = entry_band(task.state, key, subject.category, plan.filter)
        own = subject.apart or ((row,) if known else ())
        self.collector = Collector(plan, own, query, band)

    @property
    def waits(self) -> bool:
        """Whether the search it waits for, or the encoding of a text, has not been done."""
        return self.search is None or not self.search.done

    def advance(self, *, at_once: bool = False) -> bool:
        """Try the sources that are left, and tell whether the entry is complete.

        False means that `search` has to be run first, or that the next step takes longer than a
        look-up.

        Args:
            at_once: do look-ups alone.
        """
        self.search = None
        while self._next < len(self._task.sources) and self.collector.missing > 0:
            source = self._task.sources[self._next]
            takes_long = at_once and self._takes_long(source)
            if takes_long and not self._looks_up_only:
                return False
            self._next += 1
            self.search = None if takes_long else self._try(source)
            if self.search is not None and not self._looks_up_only:
                return False
            self.is_cut |= takes_long or self.search is not None
        self.search = None
        return True

    @property
    def _looks_up_only(self) -> bool:
        return self.collector.plan.effort is Effort.LISTS

    @property
    def is_degraded(self) -> bool:
        """Whether less is done for the entry than was asked, because of the server's load."""
        return self.is_cut or (self.search is not None and self.collector.plan.is_lowered)

    def _try(self, source: Source) -> LiveSearch | None:
        """Offer what a source has at hand, or return the search that it needs."""
        match source:
            case Source.PRECOMPUTED:
                self._offer_precomputed()
            case Source.POPULAR:
                offer_popular(self._task.state, self.collector, self._subject.category)
                self._answered = True
            case Source.LIVE:
                return self._live_search()
            case Source.HYBRID:
                return self._borrow()
            case Source.CO_OCCURRENCE | Source.SESSION_KNN:
                self._offer_ranked(source)
        return None

    def _takes_long(self, source: Source) -> bool:
        """Tell whether a source takes longer than a look-up although it does not search."""
        if source is Source.SESSION_KNN:
            return self._row != PAD_ROW
        return source is Source.HYBRID and self._borrows_by_text

    def answer(self, reason: ShortfallReason | None = None) -> Answer:
        """Return what was collected.

        Args:
            reason: why the answer is short, where that is not the sources' doing.

        Raises:
            UnknownItemError: no allowed source knows the product.
            OverloadedError: the sources that might know it were left out.
        """
        if self.is_cut and not self.collector.candidates:
            raise OverloadedError("the server answers from lists alone while many calls wait")
        if not self._answered and reason is None:
            names = ", ".join(self._task.sources)
            raise UnknownItemError(
                f"item_id: none of the sources {names} knows the item in space "
                f"{self._task.space!r}",
                field="item_id",
            )
        answer = self.collector.answer(
            skipped=self._subject.skipped, reason=reason, debug=self._task.debug
        )
        if self._unused_anchor is None:
            return answer
        return answer._replace(unused_anchor=self._unused_anchor)

    def _offer_precomputed(self) -> None:
        table = self._task.state.snapshot.neighbors.get((self._task.space, self._task.relation))
        found = table.lookup(self._row) if table is not None and self._row != PAD_ROW else None
        if found is None:
            return
        self._answered = True
        rows, scores = np.asarray(found[0]), np.asarray(found[1])
        present = rows != PAD_ROW
        rows, scores = rows[present], scores[present]
        verdicts = self.collector.judge_listed(rows)
        origin = Origin(Source.PRECOMPUTED, self._task.relation.score_kind)
        self.collector.take(rows, scores, verdicts, origin)

    def _offer_ranked(self, source: Source) -> None:
        """Offer what sessions say of the item, if any holds it."""
        if self._row == PAD_ROW:
            return
        task = self._task
        rows, scores, _, kind = visit_source(task.state, source, task.session_knn).of(self._row)
        if not len(rows):
            return
        self._answered = True
        self.collector.take(rows, scores, self.collector.judge(rows), Origin(source, kind))

    def _live_search(self) -> LiveSearch | None:
        """Return a search in the snapshot's index, if it has one and the item has a vector."""
        state = self._task.state
        index = state.indices.get((self._task.space, self._task.relation))
        if index is None or self.collector.query is None:
            return None
        self._answered = True
        # Precomputed lists stay within the category where the index is cut, so this does too.
        own = state.snapshot.catalog.category(self._row)
        search = LiveSearch(self.collector, index, own_category=own)
        return None if search.done else search

    def _borrow(self) -> LiveSearch | None:
        """Offer what popular items like this one have, or return the search that it needs."""
        lending = self._lending()
        if lending is None:
            return None
        self._answered = True
        self._unused_anchor = lending.unused
        if lending.unused is not None:
            return None
        task = self._task
        return offer_borrowed(task.state, lending, task.relation, self.collector)

    def _lending(self) -> Lending | None:
        """Return the anchors, or None if nothing is known of the product's content."""
        if self._borrows_by_text:
            assert self._subject.text is not None, "bug: nothing to encode"
            return self._anchors.of_text(self._subject.text, self._subject.category)
        if self._row != PAD_ROW and self._anchors.knows(self._row):
            return self._anchors.of_item(self._row)
        return None

    @property
    def _borrows_by_text(self) -> bool:
        """Whether the caller's text has to tell what the product is like."""
        if self._subject.text is None or self._anchors.encoder is None:
            return False
        return self._row == PAD_ROW or not self._anchors.knows(self._row)

    @property
    def _anchors(self) -> Anchors:
        anchors = self._task.state.anchors
        assert anchors is not None, "bug: the hybrid was let in without anchors"
        return anchors
