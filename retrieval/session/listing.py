"""A list that an answer is mixed from, while it is being made."""

from dataclasses import dataclass
from typing import Protocol

from artifacts.neighbors import PAD_ROW
from retrieval.collector import Collector
from retrieval.live_search import LiveSearch


class ListInProgress(Protocol):
    """Something that fills a collector, and stops where a search is needed.

    Attributes:
        collector: holds what was found.
        search: what has to be run before it can go on, if anything.
    """

    collector: Collector
    search: LiveSearch | None

    @property
    def is_degraded(self) -> bool:
        """Whether less is done for it than was asked, because of the server's load."""
        ...

    def advance(self, *, at_once: bool = False) -> bool:
        """Go on, and tell whether the list is complete.

        Args:
            at_once: do look-ups alone.
        """
        ...


@dataclass(slots=True)
class Listing:
    """One of the lists of a session.

    Attributes:
        name: of the list, as answers tell it.
        weight: how much it counts in the mixture; below 0 it speaks against its items.
        list: the list.
        anchor: row of the visited item whose neighbours it holds; -1 where there is no such one.
        done: the list is complete.
    """

    name: str
    weight: float
    list: ListInProgress
    anchor: int = PAD_ROW
    done: bool = False

    def advance(self, *, at_once: bool) -> None:
        """Go on with the list unless it is complete."""
        self.done = self.done or self.list.advance(at_once=at_once)
