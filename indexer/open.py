"""Open the indices of a snapshot: the half of the indexer that serving uses."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from artifacts.errors import ArtifactError, UnsupportedError
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from indexer.bands_config import BandsConfig
from indexer.row_index import RowIndex
from indexer.space_index import SpaceIndex


@dataclass(frozen=True, slots=True)
class SpaceIndices:
    """The indices of a snapshot by space and relation."""

    by_relation: Mapping[tuple[str, Relation], SpaceIndex]

    def has(self, space: str, relation: Relation) -> bool:
        """Tell whether neighbours of `relation` can be searched in `space`."""
        return (space, relation) in self.by_relation

    def of(self, space: str, relation: Relation) -> SpaceIndex:
        """Return the indices of one space and relation.

        Raises:
            UnsupportedError: the snapshot has none; those it has are named.
        """
        try:
            return self.by_relation[space, relation]
        except KeyError:
            known = ", ".join(f"{name} {what}" for name, what in self.by_relation) or "none"
            raise UnsupportedError(
                f"the snapshot has no index for space {space!r}, {relation}; it has: {known}"
            ) from None


def open_anchor_index(snapshot: Snapshot) -> SpaceIndex | None:
    """Map the indices over popular items, or return None if the snapshot has none.

    Raises:
        ArtifactError: an index cannot be read.
    """
    anchors = snapshot.contents.anchors
    if anchors is None or not anchors.indices:
        return None
    parts = {
        entry.category: RowIndex.open(snapshot.path / entry.folder, levels=entry.levels)
        for entry in anchors.indices
    }
    return SpaceIndex(anchors.indices[0].space, Relation.ALTERNATIVES, parts)


def open_indices(snapshot: Snapshot) -> SpaceIndices:
    """Map all indices of a snapshot, which has been verified when it was opened.

    Raises:
        ArtifactError: an index cannot be read.
    """
    parts: dict[tuple[str, Relation], dict[str, RowIndex]] = {}
    for entry in snapshot.contents.indices:
        index = RowIndex.open(snapshot.path / entry.folder, levels=entry.levels)
        parts.setdefault((entry.space, entry.relation), {})[entry.category] = index
    return SpaceIndices(
        {
            (space, relation): SpaceIndex(space, relation, by_category)
            for (space, relation), by_category in parts.items()
        }
    )


def open_bands(snapshot: Snapshot) -> dict[tuple[str, Relation], BandsConfig]:
    """Return what is too close or too far, by space and relation; nothing where there is no band.

    Raises:
        ArtifactError: the snapshot says what is no band.
    """
    try:
        return {
            (entry.space, entry.relation): BandsConfig.model_validate(entry.settings)
            for entry in snapshot.contents.bands
        }
    except ValidationError as error:
        raise ArtifactError(f"{snapshot.path}: bands are not as expected: {error}") from error
