"""Item to item: what to show beside a product."""

from collections.abc import Sequence

from artifacts.errors import DeadlineError, ShelfmateError, UnknownItemError
from artifacts.neighbors import PAD_ROW
from retrieval.answer import Answer, Outcome, Shortfall, ShortfallReason
from retrieval.candidates import PlainList, Source
from retrieval.content_encoder import ProductText
from retrieval.item_ids import checked_id
from retrieval.live_search import LiveSearch
from retrieval.plan import Plan
from retrieval.queries import NewItem, SimilarQuery, UnknownItemPolicy
from retrieval.similar_entry import SimilarEntry, SimilarTask, Subject
from retrieval.state import ServingState


class SimilarRun:
    """One batch on its way: look-ups at once, searches by `retrieval.together`.

    The two halves are apart because a look-up costs microseconds and is done where the request
    arrives, while a search belongs on another thread.

    Attributes:
        is_degraded: less was done for an entry than was asked, because of the server's load.
        is_partial: the deadline passed and some entries hold what was ready by then.
    """

    __slots__ = ("_kind", "_outcomes", "_task", "_waiting", "is_degraded", "is_partial")

    def __init__(self, task: SimilarTask, queries: Sequence[SimilarQuery]) -> None:
        self._task = task
        self._kind = task.relation.score_kind
        self._waiting: dict[int, SimilarEntry] = {}
        self.is_degraded = False
        self.is_partial = False
        self._outcomes = [self._begin(place, query) for place, query in enumerate(queries)]

    @property
    def pending(self) -> bool:
        """Whether an entry waits for a search."""
        return bool(self._waiting)

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """One for each entry, in their order."""
        assert not self._waiting, "bug: outcomes were read before the searches were run"
        return [outcome for outcome in self._outcomes if outcome is not None]

    @property
    def state(self) -> ServingState:
        """The snapshot."""
        return self._task.state

    @property
    def searches(self) -> Sequence[LiveSearch]:
        """Those that entries wait for; an entry may wait for the encoding of a text instead."""
        return [entry.search for entry in self._waiting.values() if entry.search]

    def go_on(self, expired: DeadlineError | None = None) -> None:
        """Complete the entries from what was found and from the sources that follow.

        Args:
            expired: the deadline passed.

        Raises:
            DeadlineError: `expired`, where the caller wants no partial answer.
        """
        if expired is not None:
            if not self._task.allow_partial:
                raise expired
            self.is_partial = True
        outcomes = {place: self._go_on(entry) for place, entry in self._waiting.items()}
        for place, outcome in outcomes.items():
            if outcome is not None:
                self._outcomes[place] = outcome
                del self._waiting[place]

    def _begin(self, place: int, query: SimilarQuery) -> Outcome | None:
        """Answer an entry if that takes no search, or leave it waiting."""
        task = self._task
        if task.lists is not None and query.options is None:
            row = task.state.snapshot.items.row(query.item_id)
            found = task.lists.head(row, task.plan.k) if row != PAD_ROW else None
            if found is not None and len(found[0]) == task.plan.k:
                return Answer(PlainList(*found, self._kind, Source.PRECOMPUTED))
        try:
            return self._open(place, query)
        except ShelfmateError as error:
            return error

    def _open(self, place: int, query: SimilarQuery) -> Answer | None:
        plan = self._task.plan.overridden(query.options, path="options")
        row = self._task.state.snapshot.items.row(checked_id(query.item_id, path="item_id"))
        if row == PAD_ROW and plan.unknown_items is not UnknownItemPolicy.FALL_BACK:
            return _without_item(query.item_id, plan)
        subject = Subject(
            row,
            self._category(row, query),
            _text(query.new_item),
            skipped=(query.item_id,) if row == PAD_ROW else (),
        )
        entry = SimilarEntry(self._task, plan, subject)
        is_complete = entry.advance(at_once=True)
        self.is_degraded |= entry.is_degraded
        if is_complete:
            return entry.answer()
        self._waiting[place] = entry
        return None

    def _category(self, row: int, query: SimilarQuery) -> int | None:
        """Return the code of the product's top category: the catalogue's, else the caller's."""
        state = self._task.state
        if row != PAD_ROW:
            return int(state.snapshot.catalog.category_codes[row])
        if query.new_item is None or not query.new_item.category_path:
            return None
        return state.category_of_path(query.new_item.category_path)

    def _go_on(self, entry: SimilarEntry) -> Outcome | None:
        """Return what became of an entry after its search, or None if it needs another one."""
        try:
            if not (self.is_partial and entry.waits) and entry.advance():
                return entry.answer()
            return entry.answer(ShortfallReason.DEADLINE) if self.is_partial else None
        except ShelfmateError as error:
            return error


def _text(item: NewItem | None) -> ProductText | None:
    """Return what a caller tells of a product, or None if that is nothing."""
    if item is None or not (item.title or item.category_path or item.description):
        return None
    return ProductText(item.title or None, item.category_path or None, item.description or None)


def _without_item(item_id: str, plan: Plan) -> Answer:
    """Return what a caller gets who forbade fallback."""
    if plan.unknown_items is UnknownItemPolicy.FAIL:
        raise UnknownItemError(
            f"item_id: expected an item of the snapshot, got {item_id!r}", field="item_id"
        )
    shortfall = Shortfall(plan.k, 0, ShortfallReason.ALL_SKIPPED)
    return Answer((), shortfall, skipped=(item_id,))
