"""The ranking model on its way into a snapshot."""

from dataclasses import dataclass
from pathlib import Path

from artifacts.manifest import Manifest, read_manifest
from artifacts.ranker import METRICS_NAME, MODEL_NAME, SCHEMA_NAME, FeatureSchema, Ranker
from artifacts.snapshot import RankerEntry
from indexer.build.inputs import SnapshotInputs
from indexer.build.linking import link_files

RANKER_FOLDER = "ranker"


@dataclass(frozen=True, slots=True)
class RankerInput:
    """A verified ranker."""

    folder: Path
    manifest: Manifest
    schema: FeatureSchema

    def link(self, snapshot: Path) -> RankerEntry:
        """Link what serving reads into the folder of a snapshot, whose manifest records it anew."""
        names = (MODEL_NAME, SCHEMA_NAME, METRICS_NAME)
        link_files(self.folder, snapshot / RANKER_FOLDER, names)
        return RankerEntry(
            folder=RANKER_FOLDER,
            schema_version=self.schema.version,
            features=self.schema.width,
            lineage={"id": self.manifest.id, "config": self.manifest.config},
        )


def open_ranker(inputs: SnapshotInputs) -> RankerInput | None:
    """Verify the ranker of the inputs; None where there is none.

    It need not have been trained on the prepared data set of the snapshot: what it reads are
    features, whose names and version serving compares with what the snapshot can compute.

    Raises:
        ArtifactError: it is not sealed, or damaged.
    """
    if inputs.ranker is None:
        return None
    ranker = Ranker.open(inputs.ranker)
    return RankerInput(inputs.ranker, read_manifest(inputs.ranker, "ranker"), ranker.schema)
