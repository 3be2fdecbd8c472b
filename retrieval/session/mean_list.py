"""The neighbours of the mean of a session."""

from indexer.space_index import SpaceIndex
from retrieval.collector import Collector
from retrieval.live_search import LiveSearch


class MeanList:
    """One search near the query of a collector, over all categories.

    Attributes:
        collector: holds what was found; its query is the mean.
        search: the search until it is done.
    """

    __slots__ = ("collector", "search")

    def __init__(self, collector: Collector, index: SpaceIndex) -> None:
        self.collector = collector
        self.search: LiveSearch | None = LiveSearch(collector, index)

    @property
    def is_degraded(self) -> bool:
        """Whether it is searched with less effort than was asked for."""
        return self.collector.plan.is_lowered

    def advance(self, *, at_once: bool = False) -> bool:
        """Tell whether the search is done."""
        if self.search is not None and self.search.done:
            self.search = None
        return self.search is None
