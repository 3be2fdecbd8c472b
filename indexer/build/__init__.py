from indexer.build.inputs import SnapshotInputs
from indexer.build.snapshot import build_snapshot

__all__ = ["SnapshotInputs", "build_snapshot"]
