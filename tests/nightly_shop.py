"""A shop whose inputs change from night to night, and its snapshots."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from artifacts.arrays import FloatMatrix
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import IndexConfig, SpaceIndexConfig
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared

ITEMS = 180
NO_CHANGES: Mapping[str, object] = MappingProxyType({})


class Notes(SilentProgress):
    """Keeps what a build says when a stage ends."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def finish(self, note: str = "") -> None:
        self.notes.append(note)


def made(seed: int, items: int = ITEMS) -> FloatMatrix:
    return clustered(items, seed=seed)


def settings(kind: str = "annoy", changes: Mapping[str, object] = NO_CHANGES) -> IndexConfig:
    space: dict[str, object] = {
        "space": "cf",
        "target": None,
        "backend": {"kind": kind},
        "exact_below": 0,
        "neighbors": 5,
        "per_category": True,
    }
    space |= {name: value for name, value in changes.items() if name in space}
    rest = {name: value for name, value in changes.items() if name not in space}
    spaces = (SpaceIndexConfig.model_validate(space),)
    return IndexConfig.model_validate({"spaces": spaces, "threads": 1, **rest})


def hours(count: int) -> datetime:
    return MADE_AT + timedelta(hours=count)


class Shop:
    """Inputs that change from build to build, and one root of snapshots."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = VersionedRoot(folder / "snapshots")
        self._made = 0

    def inputs(
        self,
        vectors: FloatMatrix,
        outputs: FloatMatrix | None = None,
        *,
        categories: Sequence[str | None] = ("Bakery", "Dairy", "Produce"),
        rows: Sequence[int] | None = None,
        items: int = ITEMS,
    ) -> SnapshotInputs:
        self._made += 1
        prepared = self._prepared(items, categories)
        folder = self.folder / f"cf-{self._made}"
        place = range(len(vectors)) if rows is None else rows
        made_from = prepared.manifest.id
        write_embedding(folder, list(place), vectors, outputs, prepared=made_from)
        return SnapshotInputs(prepared, {"cf": folder}, {"nights": self._made})

    def _prepared(self, items: int, categories: Sequence[str | None]) -> Prepared:
        id = f"night-{self._made}"
        return write_prepared(self.folder / id, items, categories=categories, id=id)

    def build(
        self, inputs: SnapshotInputs, config: IndexConfig, hour: int = 0, *, fresh: bool = False
    ) -> tuple[Snapshot, int]:
        """Build and count the indices that were taken from an earlier snapshot."""
        notes = Notes()
        snapshot = build_snapshot(
            inputs, config, self.root, progress=notes, now=hours(hour), fresh=fresh
        )
        taken = [note for note in notes.notes if "unchanged" in note]
        return snapshot, sum(int(note.split(" unchanged")[0].split()[-1]) for note in taken)

    def elsewhere(self) -> "Shop":
        """Return a shop of the same folder whose snapshots begin anew."""
        other = Shop(self.folder)
        other.root = VersionedRoot(self.folder / f"apart-{self._made}")
        return other
