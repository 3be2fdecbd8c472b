"""From visits to the lists that the answer is mixed from."""

from collections.abc import Sequence

import numpy as np

from artifacts.arrays import unit_rows
from retrieval.candidates import Source
from retrieval.collector import Collector
from retrieval.effort import Effort
from retrieval.entry_band import entry_band
from retrieval.plan import Plan
from retrieval.queries import SessionStrategy
from retrieval.query_vector import QueryVector
from retrieval.session.config import SessionList
from retrieval.session.interests import find_interests
from retrieval.session.listing import Listing
from retrieval.session.mean_list import MeanList
from retrieval.session.mean_vector import mean_vector
from retrieval.session.task import SessionTask
from retrieval.session.visit_list import VisitList
from retrieval.session.visited import Visited
from retrieval.similar_entry import SimilarEntry, Subject
from retrieval.visit_source import visit_source

FEW_VISITS = 16
"""Visits whose lists of a table are added up in no more time than a few look-ups take."""

MOST_CLUSTERED = 100
"""Visited items that are looked at for interests, the heaviest ones: Ward's method is cubic."""


class SessionLists:
    """Makes the lists of one session.

    Args:
        task: the batch's settings.
        plan: this session's options.
        visited: the visits.

    Attributes:
        query: the mean of the visits; None where they have none.
        category: code of the top category of all visited items; None where they differ.
        is_cut: a list was left out, or made another way, because of the server's load.
    """

    __slots__ = ("_plan", "_task", "_visited", "category", "is_cut", "query")

    def __init__(self, task: SessionTask, plan: Plan, visited: Visited) -> None:
        self._task = task
        self._plan = plan
        self._visited = visited
        self.is_cut = False
        table = task.state.snapshot.spaces[task.space]
        mean = mean_vector(table, visited.rows, visited.weights, task.relation)
        self.query = None if mean is None else QueryVector(mean, table)
        self.category = task.state.category_of_rows(visited.rows.tolist())

    @property
    def takes_long(self) -> bool:
        """Whether making the lists takes longer than a look-up."""
        clusters = self._task.strategy is SessionStrategy.INTERESTS and len(self._visited.rows) > 1
        return clusters and not self._looks_up_only

    @property
    def _looks_up_only(self) -> bool:
        return self._plan.effort is Effort.LISTS

    def collector(self) -> Collector:
        """Return an empty collector that never takes what was visited."""
        key = (self._task.space, self._task.relation)
        band = entry_band(self._task.state, key, self.category, self._plan.filter)
        return Collector(self._plan, self._visited.own, self.query, band)

    def make(self) -> list[Listing]:
        """Return the lists, none of them begun; none at all where no visit speaks for its item."""
        if not (self._visited.weights > 0).any():
            return []
        config = self._task.config
        listings = []
        if weight := config.weight_of(SessionList.STRATEGY):
            listings += _sharing(self._of_strategy(), weight)
        for name, source in config.further_sources.items():
            if source is Source.SESSION_KNN and self._looks_up_only:
                self.is_cut = True
                continue
            listings.append(Listing(name.value, config.weight_of(name), self._of_visits(source)))
        return listings

    def _of_visits(self, source: Source) -> VisitList:
        """Return the list of a table of sessions."""
        ranks = visit_source(self._task.state, source, self._task.session_knn)
        many = source is Source.SESSION_KNN or len(self._visited.trail) > FEW_VISITS
        takes_long = many and not self._looks_up_only
        return VisitList(ranks, self._visited, self.collector(), takes_long=takes_long)

    def _of_strategy(self) -> list[Listing]:
        """Return the strategy's own lists; where it cannot work, those of the visited items."""
        task = self._task
        if self._looks_up_only and task.strategy is not SessionStrategy.INTERLEAVE:
            self.is_cut = True
            return self._of_items()
        match task.strategy:
            case SessionStrategy.AGGREGATE if self.query is not None and task.searches:
                index = task.state.indices[task.space, task.relation]
                return [Listing(task.strategy.value, 1.0, MeanList(self.collector(), index))]
            case SessionStrategy.INTERESTS if self.query is not None:
                return self._of_interests()
            case _:
                return self._of_items()

    def _of_items(self) -> list[Listing]:
        """Return the lists of the visited items that weigh most."""
        places = self._visited.heaviest(self._task.config.max_lists)
        rows, weights = self._visited.rows[places], self._visited.weights[places]
        return self._listings(rows.tolist(), weights.tolist())

    def _of_interests(self) -> list[Listing]:
        """Return the lists of the items in the middle of each interest, and of what is disliked."""
        config, visited = self._task.config, self._visited
        places = visited.heaviest(MOST_CLUSTERED)
        rows, weights = visited.rows[places], visited.weights[places]
        table = self._task.state.snapshot.spaces[self._task.space]
        positions = table.positions(rows)
        liked = (positions >= 0) & (weights > 0)
        if not liked.any():
            return self._of_items()
        found = find_interests(
            unit_rows(np.asarray(table.vectors[positions[liked]])),
            weights[liked],
            most=config.max_interests,
            distance=config.interest_distance,
        )
        medoids = rows[liked][[interest.medoid for interest in found]]
        against = [at for at in visited.heaviest(config.max_lists) if visited.weights[at] < 0]
        return self._listings(
            [*medoids.tolist(), *visited.rows[against].tolist()],
            [*(interest.weight for interest in found), *visited.weights[against].tolist()],
        )

    def _listings(self, rows: Sequence[int], weights: Sequence[float]) -> list[Listing]:
        """Return the lists of visited items by the sources of the serving config."""
        task = self._task
        if task.similar is None:
            return []
        codes = task.state.snapshot.catalog.category_codes
        listings = []
        for row, weight in zip(rows, weights, strict=True):
            subject = Subject(row, int(codes[row]), apart=self._visited.own)
            entry = SimilarEntry(task.similar, self._plan, subject)
            listings.append(Listing(task.strategy.value, weight, entry, row))
        return listings


def _sharing(listings: list[Listing], weight: float) -> list[Listing]:
    """Scale the weights so that they add up, by size, to the weight of all of them."""
    total = sum(abs(listing.weight) for listing in listings)
    for listing in listings:
        listing.weight *= weight / total
    return listings
