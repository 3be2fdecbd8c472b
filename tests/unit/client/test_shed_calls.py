"""What the clients do when a server sheds their calls, against a real one."""

import asyncio
from typing import Any

import pytest

from artifacts.errors import OverloadedError, RequestError
from shelfmate.client import Access, AsyncClient, CallError, Client, Item
from shelfmate.client.restraint import MOST_ATTEMPTS
from tests.echo import Echo, echoing

SHORT_S = 0.001


class Busy(Echo):
    """Sheds the first calls for the item `busy`."""

    def __init__(self, times: int, retry_after_s: float = SHORT_S) -> None:
        super().__init__()
        self._left = times
        self._error = OverloadedError("full", retry_after_s=retry_after_s)

    async def get_items(self, request, context):
        self.errors = {"busy": self._error} if self._left > 0 else {}
        self._left -= 1
        return await super().get_items(request, context)


async def asked(target: str, flavour: str, *items: str, timeout_s: float = 20.0) -> list[Any]:
    """Ask one call after the other, by either client, and return items and errors."""
    if flavour == "async":
        async with AsyncClient(target, timeout_s=timeout_s) as client:
            return [await caught(lambda item=item: client.items([item])) for item in items]

    def ask() -> list[Any]:
        with Client(target, timeout_s=timeout_s) as client:
            return [caught_now(lambda item=item: client.items([item])) for item in items]

    return await asyncio.to_thread(ask)


async def caught(ask: Any) -> Any:
    try:
        return (await ask())[0]
    except CallError as error:
        return error


def caught_now(ask: Any) -> Any:
    try:
        return ask()[0]
    except CallError as error:
        return error


pytestmark = pytest.mark.parametrize("flavour", ["sync", "async"])


async def test_shed_call_is_sent_again_and_answered(flavour):
    service = Busy(MOST_ATTEMPTS - 1)
    async with echoing(service) as target:
        (outcome,) = await asked(target, flavour, "busy")
    assert isinstance(outcome, Item)
    assert service.calls == MOST_ATTEMPTS


async def test_client_gives_up_after_some_attempts(flavour):
    service = Busy(100)
    async with echoing(service) as target:
        (outcome,) = await asked(target, flavour, "busy")
    assert isinstance(outcome, CallError)
    assert (outcome.code, outcome.error.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    assert outcome.request_id
    assert service.calls == MOST_ATTEMPTS


async def test_pause_that_the_deadline_does_not_allow_is_not_waited_for(flavour):
    service = Busy(100, retry_after_s=1_000)
    async with echoing(service) as target:
        (outcome,) = await asked(target, flavour, "busy")
    assert isinstance(outcome, CallError)
    assert service.calls == 1


async def test_call_whose_turn_would_come_too_late_is_not_sent(flavour):
    service = Busy(100, retry_after_s=1_000)
    async with echoing(service) as target:
        outcomes = await asked(target, flavour, *["busy"] * 20, timeout_s=0.5)
    assert {outcome.error.reason for outcome in outcomes} == {"OVERLOADED", "HELD_BACK"}
    assert service.calls < 20


async def test_fault_of_the_caller_s_is_not_sent_again(flavour):
    service = Echo()
    service.errors["bad"] = RequestError("k: expected 1, got 2", field="k")
    async with echoing(service) as target:
        (outcome,) = await asked(target, flavour, "bad")
    assert (outcome.code, outcome.error.field) == ("INVALID_ARGUMENT", "k")
    assert service.calls == 1


async def test_credentials_and_ids_travel_with_every_call(flavour):
    service = Echo()
    numbers = iter(range(10))
    access = Access(
        api_key="sesame", token=lambda: f"t{next(numbers)}", request_id=lambda: "mine-1"
    )
    async with echoing(service) as target:
        for number in range(2):
            if flavour == "async":
                async with AsyncClient(target, access=access, timeout_s=20) as client:
                    await client.items(["a"])
            else:
                with Client(target, access=access, timeout_s=20) as client:
                    await asyncio.to_thread(client.items, ["a"])
            assert service.metadata["x-api-key"] == "sesame"
            assert service.metadata["authorization"] == f"Bearer t{number}"
            assert service.metadata["x-request-id"] == "mine-1"
    assert "sesame" not in repr(access)
