"""What computes blocks: threads of this process, or something larger."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.precompute.part_search import PartSearch
from indexer.precompute.part_work import PartWork


@dataclass(frozen=True, slots=True)
class BlockTask:
    """One block that is missing.

    Attributes:
        work: the part.
        search: the part's search in this process.
        number: the block.
    """

    work: PartWork
    search: PartSearch
    number: int


class BlockEngine(Protocol):
    """Computes blocks into their stores."""

    def run(self, tasks: Sequence[BlockTask]) -> Iterator[int]:
        """Compute all blocks, and yield numbers of items as they are done.

        Raises:
            OSError: a block cannot be written.
        """
        ...
