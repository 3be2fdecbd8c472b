"""One product on its way through the sources."""

from dataclasses import dataclass, field

import numpy as np

from artifacts.errors import UnknownItemError
from artifacts.neighbors import PAD_ROW
from artifacts.relation import Relation
from retrieval.answer import Answer, ShortfallReason
from retrieval.candidates import Source
from retrieval.collector import Collector
from retrieval.live_search import LiveSearch
from retrieval.plan import Plan
from retrieval.popular import offer_popular
from retrieval.precomputed import PrecomputedLists
from retrieval.query_vector import QueryVector
from retrieval.state import ServingState


@dataclass(frozen=True, slots=True)
class SimilarTask:
    """What all entries of a batch have in common.

    Attributes:
        state: the snapshot.
        space: space of the neighbours.
        relation: what a neighbour means.
        sources: tried in this order.
        plan: options of entries that set none.
        debug: measure the similarity of each candidate.
        allow_partial: answer with what there is when the deadline passes.
        lists: precomputed lists that answer by themselves; None where something has to be judged.
    """

    state: ServingState
    space: str
    relation: Relation
    sources: tuple[Source, ...]
    plan: Plan
    debug: bool = False
    allow_partial: bool = False
    lists: PrecomputedLists | None = field(init=False)

    def __post_init__(self) -> None:
        plain = self.sources[0] is Source.PRECOMPUTED and self.plan.is_open and not self.debug
        lists = self.state.precomputed.get((self.space, self.relation)) if plain else None
        object.__setattr__(self, "lists", lists)


class SimilarEntry:
    """Fills one answer from source after source; stops where a search is needed.

    Args:
        task: the batch's settings.
        plan: this entry's options.
        row: row of the product, -1 if the snapshot does not know it.
        category: code of its top category, None where it is unknown.
        skipped: ids that the snapshot does not know.

    Attributes:
        search: the search that it waits for, if any.
    """

    __slots__ = (
        "_answered",
        "_category",
        "_next",
        "_row",
        "_skipped",
        "_task",
        "collector",
        "search",
    )

    def __init__(
        self,
        task: SimilarTask,
        plan: Plan,
        row: int,
        category: int | None,
        skipped: tuple[str, ...] = (),
    ) -> None:
        self._task = task
        self._row = row
        self._category = category
        self._skipped = skipped
        self._next = 0
        self._answered = False
        self.search: LiveSearch | None = None
        known = row != PAD_ROW
        query = QueryVector.of_item(task.state.snapshot.spaces[task.space], row) if known else None
        self.collector = Collector(plan, (row,) if known else (), query)

    def advance(self) -> bool:
        """Try the sources that are left, and tell whether the entry is complete.

        False means that `search` has to be run first.
        """
        self.search = None
        while self._next < len(self._task.sources) and self.collector.missing > 0:
            source = self._task.sources[self._next]
            self._next += 1
            if source is Source.PRECOMPUTED:
                self._offer_precomputed()
            elif source is Source.POPULAR:
                offer_popular(self._task.state, self.collector, self._category)
                self._answered = True
            elif source is Source.LIVE:
                self.search = self._live_search()
                if self.search is not None:
                    return False
        return True

    def answer(self, reason: ShortfallReason | None = None) -> Answer:
        """Return what was collected.

        Args:
            reason: why the answer is short, where that is not the sources' doing.

        Raises:
            UnknownItemError: no allowed source knows the product.
        """
        if not self._answered and reason is None:
            names = ", ".join(self._task.sources)
            raise UnknownItemError(
                f"item_id: none of the sources {names} knows the item in space "
                f"{self._task.space!r}",
                field="item_id",
            )
        return self.collector.answer(skipped=self._skipped, reason=reason, debug=self._task.debug)

    def _offer_precomputed(self) -> None:
        table = self._task.state.snapshot.neighbors.get((self._task.space, self._task.relation))
        found = table.lookup(self._row) if table is not None and self._row != PAD_ROW else None
        if found is None:
            return
        self._answered = True
        rows, scores = np.asarray(found[0]), np.asarray(found[1])
        present = rows != PAD_ROW
        rows, scores = rows[present], scores[present]
        verdicts = self.collector.judge(rows)
        kind = self._task.relation.score_kind
        self.collector.take(rows, scores, verdicts, Source.PRECOMPUTED, kind)

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
