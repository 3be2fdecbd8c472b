"""One shopper on the way to an answer."""

from typing import NamedTuple

import numpy as np

from artifacts.arrays import FloatVector
from artifacts.neighbors import PAD_ROW
from retrieval.answer import Answer, ShortfallReason
from retrieval.collector import Collector
from retrieval.entry_band import entry_band
from retrieval.live_search import LiveSearch
from retrieval.plan import Plan
from retrieval.popular import offer_popular
from retrieval.query_vector import QueryVector
from retrieval.user_space import Visits
from retrieval.user_task import UserTask


class Shopper(NamedTuple):
    """Whom an entry asks for."""

    row: int
    """Row among the shoppers, -1 if the snapshot does not know them."""
    visits: Visits
    """What a vector is solved from where there is none."""
    own: tuple[int, ...] = ()
    """Rows of items that are never in the answer."""
    skipped: tuple[str, ...] = ()
    """Ids of visited items that the snapshot does not know."""


class UserEntry:
    """Fills one answer with the items that a shopper is thought to want most.

    A stored vector is asked with at once; one that has to be solved first waits until `advance`,
    since that takes longer than a look-up.

    Args:
        task: the batch's settings.
        plan: this entry's options.
        shopper: who asks; known, or with visits that the user space knows.

    Attributes:
        collector: the answer so far.
        search: the search that it waits for; None while the vector is not solved.
    """

    __slots__ = ("_plan", "_shopper", "_task", "collector", "search")

    def __init__(self, task: UserTask, plan: Plan, shopper: Shopper) -> None:
        self._task = task
        self._plan = plan
        self._shopper = shopper
        self.search: LiveSearch | None = None
        self.collector = Collector(plan, shopper.own, None)
        if shopper.row != PAD_ROW:
            self._ask(np.array(task.users.users.vectors[shopper.row], dtype=np.float32))

    def advance(self) -> bool:
        """Solve the vector, or take what the search found; tell whether the entry is complete.

        False means that `search` has to be run.
        """
        if self.search is None:
            values = self._task.users.vector("", self._shopper.visits).values
            assert values is not None, "bug: a vector cannot be solved from these visits"
            self._ask(values)
            return False
        if not self.search.done:
            return False
        if self._task.fills_up:
            offer_popular(self._task.state, self.collector, None)
        return True

    def answer(self, reason: ShortfallReason | None = None) -> Answer:
        """Return what was collected.

        Args:
            reason: why the answer is short, where that is not the sources' doing.
        """
        return self.collector.answer(
            skipped=self._shopper.skipped, reason=reason, debug=self._task.session.debug
        )

    def _ask(self, values: FloatVector) -> None:
        task = self._task
        index = (task.index.space, task.index.relation)
        query = QueryVector(values, task.users.items)
        band = entry_band(task.state, index, None, self._plan.filter)
        self.collector = Collector(self._plan, self._shopper.own, query, band)
        self.search = LiveSearch(self.collector, task.index)
