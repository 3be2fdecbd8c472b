"""Several connections to one host, so that all of its workers are met."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeAlias

import grpc

from shelfmate.v1 import admin_pb2, admin_pb2_grpc

OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)
CONNECTIONS = 16
"""With two workers all of them go to one of the two once in 32,768 times."""


@contextmanager
def channels(target: str, count: int = CONNECTIONS) -> Iterator[list[grpc.Channel]]:
    """Open channels that share no connection."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(grpc.insecure_channel(target, options=OWN_CONNECTION))
            for _ in range(count)
        ]


Workers: TypeAlias = dict[int, admin_pb2.GetServingStatusResponse]
"""The status of each worker, by process."""


def statuses(admin_target: str) -> Workers:
    """Return the status of every worker that was met."""
    with channels(admin_target) as every:
        found = [
            admin_pb2_grpc.AdminServiceStub(channel).GetServingStatus(
                admin_pb2.GetServingStatusRequest(), timeout=20, wait_for_ready=True
            )
            for channel in every
        ]
    return {status.worker_pid: status for status in found}


async def workers_until(
    admin_target: str, condition: Callable[[Workers], bool], within_s: float = 30
) -> None:
    """Wait until the workers are as they have to become, and let others go on meanwhile."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                if condition(await asyncio.to_thread(statuses, admin_target)):
                    return
            except grpc.RpcError:  # a connection to a worker that has died: there are others now
                continue


def all_serve(id: str) -> Callable[[Workers], bool]:
    """Return whether all workers serve a snapshot."""
    return lambda workers: {each.snapshot.snapshot_id for each in workers.values()} == {id}


def all_refuse(id: str) -> Callable[[Workers], bool]:
    """Return whether all workers have refused a snapshot."""
    return lambda workers: {each.refused.snapshot_id for each in workers.values()} == {id}


def replaced(pid: int) -> Callable[[Workers], bool]:
    """Return whether two workers answer, of which none is the one that was killed."""
    return lambda workers: len(workers) == 2 and pid not in workers
