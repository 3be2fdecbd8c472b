"""An open loop through the channels of the client that is shipped, with its retries and restraint."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Any

import grpc

from benchmarks.arrivals import Times
from benchmarks.calls import CallLog, Calls, End
from benchmarks.open_loop import Ask
from shelfmate.client import Access, CallError
from shelfmate.client.async_channel_set import AsyncChannelSet
from shelfmate.v1 import recommender_pb2, recommender_pb2_grpc

CONNECTIONS = 4
TIMEOUT_S = 1.0
"""As the client has it where nobody says otherwise, retries included."""
METHODS = recommender_pb2.DESCRIPTOR.services_by_name["RecommenderService"].methods_by_name


async def run_client(address: str, asks: Sequence[Ask], due_s: Times) -> Calls:
    """Make calls when they are due, and wait for all of them.

    A call of which an entry failed has the status of that entry.

    Args:
        address: of the server, host:port.
        asks: calls of the recommender, made in turn.
        due_s: (n,) when calls are due, in seconds from the start.
    """
    log = CallLog(due_s)
    channels = AsyncChannelSet(address, CONNECTIONS, Access())
    stub: Any = recommender_pb2_grpc.RecommenderServiceStub(channels)  # type: ignore[call-overload]  # as a channel
    requests = [_request(ask) for ask in asks]

    async def make(number: int) -> None:
        method, request = requests[number % len(requests)]
        log.sent(number, time.perf_counter())
        code = await _status(getattr(stub, method)(request, timeout=TIMEOUT_S))
        log.ended(number, code, time.perf_counter())

    try:
        start = time.perf_counter()
        made = []
        for number, at in enumerate(log.times):
            await asyncio.sleep(max(start + at - time.perf_counter(), 0))
            made.append(asyncio.ensure_future(make(number)))
        await asyncio.gather(*made)
    finally:
        await channels.close()
    return log.calls(start)


def _request(ask: Ask) -> tuple[str, Any]:
    """Return the name of a method and its message."""
    name = ask.path.rpartition("/")[2]
    kind = getattr(recommender_pb2, METHODS[name].input_type.name)
    return name, kind.FromString(ask.message)


async def _status(call: Awaitable[Any]) -> int:
    try:
        response = await call
    except grpc.aio.AioRpcError as error:
        return _number(error.code())
    except CallError as error:  # it was held back
        return _number(grpc.StatusCode[error.code])
    failed = (each.status.code for each in response.outcomes if each.HasField("status"))
    return next(failed, End.ANSWERED)


def _number(code: grpc.StatusCode) -> int:
    number: int = code.value[0]
    return number
