"""Asks for products like products.

    python ask.py 127.0.0.1:50051 ITEM...

Prints a line for each product. SHELFMATE_API_KEY and SHELFMATE_CA (a file in PEM form) are used where the
server asks for a key, or speaks TLS. Needs the distribution `shelfmate-client` alone.
"""

import asyncio
import os
import sys
import uuid
from pathlib import Path

from shelfmate.client import (
    Access,
    AsyncClient,
    CallError,
    EntryError,
    Options,
    Tls,
    in_async_batches,
)


def access() -> Access:
    """Return what the server asks for."""
    ca = os.environ.get("SHELFMATE_CA")
    return Access(
        tls=Tls(root_certificates=Path(ca).read_bytes()) if ca else None,
        api_key=os.environ.get("SHELFMATE_API_KEY", ""),
        # In a service: the id of the request that this one belongs to.
        request_id=lambda: uuid.uuid4().hex,
    )


async def main(target: str, *item_ids: str) -> int:
    """Ask, print, and return the exit code."""
    # As many connections as the server has workers, or more, so that all of them get calls.
    async with AsyncClient(target, timeout_s=5.0, connections=4, access=access()) as client:
        try:
            # More than 1,000 products go out in several calls.
            outcomes = await in_async_batches(
                lambda part: client.similar(part, Options(k=5, unknown_items="fail")), item_ids
            )
        except CallError as error:
            print(f"{error} (request {error.request_id})", file=sys.stderr)
            return 1
    for item_id, outcome in zip(item_ids, outcomes, strict=True):
        if isinstance(outcome, EntryError):
            print(f"{item_id}: {outcome.code} {outcome.message}")
        else:
            print(f"{item_id}: {' '.join(outcome.item_ids)}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
