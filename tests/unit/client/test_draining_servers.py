"""What the clients do when a server does not take calls on, because it comes or goes."""

import asyncio

import grpc
import pytest

from artifacts.errors import NotReadyError, StorageError
from shelfmate.client import AsyncClient, CallError, Client, EntryError, Item
from shelfmate.client.restraint import MOST_ATTEMPTS
from tests.echo import Echo, echoing

TRIES = 3
"""Of gRPC itself, for each time that the client sends a call."""


class Draining(Echo):
    """Does not take on the first calls."""

    def __init__(self, times: int, error: Exception) -> None:
        super().__init__()
        self._left = times
        self._error = error

    async def get_items(self, request, context):
        self.errors = {"a": self._error} if self._left > 0 else {}
        self._left -= 1
        return await super().get_items(request, context)


async def asked(target: str, flavour: str) -> Item | EntryError | CallError:
    """Ask by either client, and return the item or the error."""
    try:
        if flavour == "async":
            async with AsyncClient(target, timeout_s=20) as client:
                return (await client.items(["a"]))[0]
        with Client(target, timeout_s=20) as client:
            return (await asyncio.to_thread(client.items, ["a"]))[0]
    except CallError as error:
        return error


@pytest.mark.parametrize("flavour", ["sync", "async"])
async def test_call_that_was_not_taken_on_is_sent_again_for_longer_than_grpc_does(flavour):
    service = Draining(TRIES + 1, NotReadyError("the server is draining"))
    async with echoing(service) as target:
        outcome = await asked(target, flavour)
    assert isinstance(outcome, Item)
    assert service.calls == TRIES + 2


class Cancelling(Echo):
    """Ends its first calls as gRPC itself does when too many wait, or when it goes away."""

    async def get_items(self, request, context):
        if self.calls < MOST_ATTEMPTS - 1:
            self.calls += 1
            await context.abort(grpc.StatusCode.CANCELLED)
        return await super().get_items(request, context)


@pytest.mark.parametrize("flavour", ["sync", "async"])
async def test_call_that_a_server_cancelled_is_sent_again(flavour):
    service = Cancelling()
    async with echoing(service) as target:
        outcome = await asked(target, flavour)
    assert isinstance(outcome, Item)
    assert service.calls == MOST_ATTEMPTS


async def test_calls_of_a_client_that_is_closed_are_not_sent_again():
    service = Echo()
    async with echoing(service) as target:
        client = Client(target, timeout_s=20)
        call = asyncio.ensure_future(asyncio.to_thread(client.items, ["wait"]))
        await service.arrived.acquire()
        await asyncio.to_thread(client.close)
        with pytest.raises(CallError, match="CANCELLED"):
            await call
    assert service.calls == 1


@pytest.mark.parametrize("flavour", ["sync", "async"])
async def test_call_that_a_server_worked_on_is_left_to_grpc(flavour):
    service = Draining(100, StorageError("disk full"))
    async with echoing(service) as target:
        outcome = await asked(target, flavour)
    assert isinstance(outcome, CallError)
    assert (outcome.code, outcome.error.reason) == ("UNAVAILABLE", "STORAGE")
    assert service.calls == TRIES
