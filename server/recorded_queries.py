"""A sample of what callers have just asked, to try the next snapshot with."""

from collections import deque
from collections.abc import Sequence

from google.protobuf.message import Message

MOST = 256
MOST_BYTES = 4_096
"""Larger requests are passed over, so that what is kept stays below a megabyte."""

EVERY = 16
"""Once there are enough, one in so many replaces the oldest."""


class RecordedQueries:
    """The last requests of one worker, thinned out; belongs to the thread of the event loop.

    They are kept in memory alone and never written anywhere: visits and shoppers are in them.
    """

    __slots__ = ("_kept", "_seen")

    def __init__(self) -> None:
        self._kept: deque[Message] = deque(maxlen=MOST)
        self._seen = 0

    def offer(self, request: Message) -> None:
        """Keep a request, or do not. Cost: usually one addition."""
        self._seen += 1
        is_due = self._seen <= MOST or self._seen % EVERY == 0
        if is_due and request.ByteSize() <= MOST_BYTES:
            self._kept.append(request)

    def requests(self) -> Sequence[Message]:
        """Return what is kept, oldest first."""
        return tuple(self._kept)
