"""What a snapshot is built from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from artifacts.arrays import check_matrix
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ArtifactError, ConfigError, DataError
from artifacts.manifest import Json, Manifest, read_manifest, verify
from artifacts.prepared import Prepared
from artifacts.relation import Relation
from indexer.config import IndexConfig, SpaceIndexConfig


@dataclass(frozen=True, slots=True)
class SnapshotInputs:
    """Artifacts of the earlier stages.

    Attributes:
        prepared: vocabulary and catalogue.
        embeddings: folders of sealed embeddings by space, all made from `prepared`.
        quality: offline evaluation as the trainer reported it, stored as it comes.
        tables: folders of sealed tables by name, all made from `prepared`; none has to be there.
        ranker: folder of a sealed ranker; None for a snapshot that ranks nothing.
    """

    prepared: Prepared
    embeddings: Mapping[str, Path]
    quality: Json = field(default_factory=dict)
    tables: Mapping[str, Path] = field(default_factory=dict)
    ranker: Path | None = None


@dataclass(frozen=True, slots=True)
class SpaceInput:
    """One space to be indexed: its verified vectors and its settings."""

    folder: Path
    manifest: Manifest
    table: EmbeddingTable
    config: SpaceIndexConfig
    relations: tuple[Relation, ...]


def open_spaces(inputs: SnapshotInputs, config: IndexConfig) -> list[SpaceInput]:
    """Verify and map the embeddings that the configuration names.

    Raises:
        ConfigError: a configured space was not trained, or has not the relation asked for.
        ArtifactError: an embedding is damaged, or was made from another prepared data set.
        DataError: an embedding has no vectors, or one that is not finite.
    """
    return [_open_space(inputs, space) for space in config.spaces]


def _open_space(inputs: SnapshotInputs, config: SpaceIndexConfig) -> SpaceInput:
    folder = inputs.embeddings.get(config.space)
    if folder is None:
        raise ConfigError(
            f"[[index.spaces]]: space {config.space!r} has no embedding; there are: "
            f"{', '.join(sorted(inputs.embeddings)) or 'none'}"
        )
    manifest = read_manifest(folder, "embedding")
    verify(folder, manifest)
    check_lineage(manifest, inputs.prepared, folder)
    lineage = {"id": manifest.id, "config": manifest.config, "versions": manifest.versions}
    table = EmbeddingTable.open(folder, config.space, lineage)
    _check_vectors(table, len(inputs.prepared.items))
    return SpaceInput(folder, manifest, table, config, _relations(table, config))


def check_lineage(manifest: Manifest, prepared: Prepared, folder: Path) -> None:
    """Return if an artifact was made from the prepared data set.

    Raises:
        ArtifactError: it was made from another one.
    """
    made_from = manifest.inputs.get("prepared")
    if made_from != prepared.manifest.id:
        raise ArtifactError(
            f"{folder}: expected {manifest.kind} made from prepared data {prepared.manifest.id}, "
            f"got one made from {made_from}; train again"
        )


def _check_vectors(table: EmbeddingTable, items: int) -> None:
    name = f"space {table.space!r}"
    if not len(table):
        raise DataError(f"{name}: expected at least one vector, got none")
    if table.rows[-1] >= items or table.rows[0] < 0:
        raise DataError(f"{name}: expected rows below {items}, got {table.rows[-1]}")
    check_matrix(table.vectors, name=f"{name}, vectors")
    if table.outputs is not None:
        check_matrix(table.outputs, name=f"{name}, outputs", dim=table.dim)


def _relations(table: EmbeddingTable, config: SpaceIndexConfig) -> tuple[Relation, ...]:
    wanted = config.relations or table.relations
    lacking = [relation for relation in wanted if relation not in table.relations]
    if lacking:
        raise ConfigError(
            f"[[index.spaces]]: space {table.space!r} has no {lacking[0]}; it has: "
            f"{', '.join(table.relations)}"
        )
    return wanted
