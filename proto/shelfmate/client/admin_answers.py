"""What the admin clients return: small values, free of protobuf."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shelfmate.client.answers import EntryError


@dataclass(frozen=True, slots=True)
class SpaceInfo:
    """A space of a snapshot.

    Attributes:
        name: such as `cf`.
        dim: dimensions of its vectors.
        item_count: items that have a vector.
        relations: what it answers, such as `alternatives`.
        index_count: number of indices.
        precomputed_count: items with a precomputed list, over all relations.
    """

    name: str
    dim: int
    item_count: int
    relations: tuple[str, ...]
    index_count: int
    precomputed_count: int


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """What a snapshot holds.

    Attributes:
        snapshot_id: its id.
        created_at: when it was built.
        item_count: items in its vocabulary.
        spaces: its spaces.
        format_version: of its files.
        size_bytes: of its files.
    """

    snapshot_id: str
    created_at: datetime
    item_count: int
    spaces: tuple[SpaceInfo, ...]
    format_version: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SnapshotList:
    """Snapshots that a host could serve.

    Attributes:
        snapshots: newest first.
        current_id: id of the one that the host's pointer names; empty where it names none.
    """

    snapshots: tuple[SnapshotInfo, ...]
    current_id: str


@dataclass(frozen=True, slots=True)
class Activated:
    """A swap that is done.

    Attributes:
        snapshot: now in service in all workers of the host.
        replaced_id: id of the one before.
    """

    snapshot: SnapshotInfo
    replaced_id: str


@dataclass(frozen=True, slots=True)
class RefusedSnapshot:
    """A snapshot that a worker did not take over; the one before serves on.

    Attributes:
        snapshot_id: its id.
        reason: why.
        at: when.
    """

    snapshot_id: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ServingStatus:
    """What the worker serves that was asked.

    Attributes:
        state: `loading`, `serving` or `draining`.
        snapshot_id: snapshot in service; empty before one is ready.
        item_count: items of the snapshot.
        spaces: dimensions of each space, by name.
        serving_configs: names, sorted.
        server_version: release of the server.
        activated_at: when the snapshot was put in service; None before one is ready.
        started_at: when the worker started.
        worker_pid: its process.
        worker_index: its place among the workers of the host, from 0.
        refused: the snapshot that was to take over last and could not; None once one could.
    """

    state: str
    snapshot_id: str
    item_count: int
    spaces: Mapping[str, int]
    serving_configs: tuple[str, ...]
    server_version: str
    activated_at: datetime | None
    started_at: datetime
    worker_pid: int
    worker_index: int
    refused: RefusedSnapshot | None = None


@dataclass(frozen=True, slots=True)
class StockUpdate:
    """What became of changes of stock.

    Attributes:
        applied_count: changes that are in effect.
        ignored_count: changes that were older than what was known.
        failures: errors of the others, by their places among the changes.
    """

    applied_count: int
    ignored_count: int
    failures: Mapping[int, EntryError]
