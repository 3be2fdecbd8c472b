"""One session on its way to an answer."""

from collections.abc import Sequence

import numpy as np

from artifacts.neighbors import PAD_ROW
from retrieval.answer import Answer, ShortfallReason
from retrieval.candidates import PlainList, Source
from retrieval.live_search import LiveSearch
from retrieval.plan import Plan
from retrieval.popular import offer_popular
from retrieval.session.listing import Listing
from retrieval.session.lists import SessionLists
from retrieval.session.mixture import mixture
from retrieval.session.task import SessionTask
from retrieval.session.visited import Visited

MIXED_PER_ITEM = 4
"""Candidates mixed for each that is wanted, where some may be too close to better ones."""


class SessionEntry:
    """Fills the lists of a session, mixes them, and fills what they leave open with popular items.

    Args:
        task: the batch's settings.
        plan: this session's options.
        visited: what was visited, as far as the snapshot knows it; may be nothing.
    """

    __slots__ = ("_listings", "_lists", "_mixed", "_plan", "_task", "_visited", "collector")

    def __init__(self, task: SessionTask, plan: Plan, visited: Visited) -> None:
        self._task = task
        self._plan = plan
        self._visited = visited
        self._lists = SessionLists(task, plan, visited)
        self._listings: list[Listing] | None = None
        self._mixed = False
        self.collector = self._lists.collector()

    @property
    def searches(self) -> Sequence[LiveSearch]:
        """What has to be run before it can go on, done or not."""
        found = (listing.list.search for listing in self._listings or () if not listing.done)
        return [search for search in found if search is not None]

    @property
    def waits(self) -> bool:
        """Whether a search, or a step that takes longer than a look-up, has not been done."""
        searches = self.searches
        return not searches or not all(search.done for search in searches)

    @property
    def is_degraded(self) -> bool:
        """Whether less is done for the session than was asked, because of the server's load."""
        if self._listings is None:
            return self._plan.is_lowered
        return self._lists.is_cut or any(each.list.is_degraded for each in self._listings)

    def advance(self, *, at_once: bool = False) -> bool:
        """Go on as far as the next searches, and tell whether the answer is complete.

        Args:
            at_once: do look-ups alone.
        """
        if self._listings is None:
            if at_once and self._lists.takes_long:
                return False
            self._listings = self._lists.make()
        for listing in self._listings:
            listing.advance(at_once=at_once)
        if not all(listing.done for listing in self._listings):
            return False
        self._mix(self._listings)
        if Source.POPULAR in self._task.sources and self.collector.missing > 0:
            offer_popular(self._task.state, self.collector, self._lists.category)
        return True

    def answer(self, reason: ShortfallReason | None = None) -> Answer:
        """Return what was collected.

        Args:
            reason: why the answer is short, where that is not the sources' doing; then lists that
                are not complete are mixed as they are.
        """
        self._mix(self._listings or [])
        return self.collector.answer(
            skipped=self._visited.skipped, reason=reason, debug=self._task.debug
        )

    def _mix(self, listings: Sequence[Listing]) -> None:
        """Take the mixture of the lists, once."""
        if self._mixed or not listings:
            return
        self._mixed = True
        k, collector = self._plan.k, self.collector
        n = k if collector.band is None else MIXED_PER_ITEM * k
        for listing in listings:
            collector.count_removed_from(listing.list.collector)
        whole = _whole(listings)
        if whole is not None and collector.takes_plain:
            collector.take_plain(whole, 0)
            return
        candidates = mixture(listings, n, self._task, self._visited)
        rows = np.array([candidate.row for candidate in candidates], dtype=np.int32)
        if len(listings) == 1:  # it was judged as one answer
            collector.adopt(candidates, np.zeros(len(rows), dtype=np.int8))
        else:
            collector.adopt(candidates, collector.judge_mixed(rows))


def _whole(listings: Sequence[Listing]) -> PlainList | None:
    """Return the one list that is the answer as it came, without a visited item to name."""
    if len(listings) > 1 or listings[0].anchor != PAD_ROW:
        return None
    return listings[0].list.collector.plain
