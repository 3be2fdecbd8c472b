"""Names of single calls, by which a caller's log and ours can be laid side by side."""

import itertools
import re
import uuid
from collections.abc import Iterable

REQUEST_ID = "x-request-id"
"""Metadata that carries it, both ways."""

ACCEPTED = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
"""What is taken over; anything else could forge lines of a log."""


PROCESS = uuid.uuid4().hex[:20]
NUMBERS = itertools.count(1)


def sent_id(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """Return the id that the caller sent, or nothing if that is none."""
    for name, value in metadata or ():
        if name == REQUEST_ID and isinstance(value, str) and ACCEPTED.fullmatch(value):
            return value
    return ""


def made_id() -> str:
    """Return an id that no other call has: of this process, and a number.

    Cost: less than a microsecond, since refusals are many; random bytes would be a call of the kernel.
    """
    return f"{PROCESS}{next(NUMBERS):012x}"
