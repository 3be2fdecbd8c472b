"""Build a snapshot from the artifacts of the earlier stages."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from artifacts.errors import ArtifactError
from artifacts.folders import staged_folder
from artifacts.manifest import Json, Manifest, fingerprint, seal
from artifacts.neighbors import NeighborTable
from artifacts.popularity import PopularityTable
from artifacts.progress import Progress
from artifacts.snapshot import (
    CATALOG_FOLDER,
    ITEMS_FOLDER,
    POPULARITY_FOLDER,
    AnchorsEntry,
    BandsEntry,
    IndexEntry,
    NeighborsEntry,
    Snapshot,
    SnapshotContents,
    SpaceEntry,
)
from artifacts.versions import VersionedRoot
from indexer.anchors_config import AnchorsConfig
from indexer.bands import Limits
from indexer.build.anchors import AnchorsBuilder
from indexer.build.fingerprints import library_versions, release
from indexer.build.inputs import SnapshotInputs, SpaceInput, open_spaces
from indexer.build.linking import link_files
from indexer.build.lists import ListsBuilder
from indexer.build.part_index import BuildEffort
from indexer.build.ranker import RankerInput, open_ranker
from indexer.build.reuse import EarlierIndices, newest_of
from indexer.build.space import RelationBuilder
from indexer.build.space_files import link_space, link_users
from indexer.build.tables import TableInput, open_tables
from indexer.categories import partition
from indexer.config import IndexConfig, thread_count
from indexer.difference import Side, compare_snapshots, side_in_service
from indexer.gate import judge
from indexer.gate_report import GATE_PAGE_NAME, GateReport, IndexRecall, SpaceWithout, TableCoverage
from indexer.precompute import STORES_NAME, BlockStores, EarlierLists, ListsMeans, block_engine
from indexer.precompute.part_fingerprint import LISTS_VERSION


def build_snapshot(  # noqa: PLR0913 - what a build is made from, and how
    inputs: SnapshotInputs,
    config: IndexConfig,
    root: VersionedRoot,
    *,
    progress: Progress,
    now: datetime,
    fresh: bool = False,
) -> Snapshot:
    """Build a sealed snapshot under `root`; `indexer.publish` puts it in use.

    The newest one of the same inputs, settings and releases is returned. Indices of the same vectors
    and settings are taken from earlier ones; they and the inputs are hard-linked where the filesystem
    allows. A build that fails or is killed leaves nothing that a reader would open.

    Args:
        inputs: artifacts of the earlier stages.
        config: the table [index].
        root: where snapshots lie.
        progress: told of each space and relation, twice: its indices and its neighbours.
        now: time of the build; with the fingerprint of inputs and settings it makes the id.
        fresh: build everything anew, whatever there is.

    Returns:
        The snapshot, mapped; its gate may have failed, which publishing looks at.

    Raises:
        ConfigError: a configured space was not trained, or has not the relation asked for.
        ArtifactError: an input is damaged, inputs do not belong together, or writing failed.
        DataError: a space has no vectors, or one that is not finite.
    """
    parts = _Parts(open_spaces(inputs, config), open_tables(inputs), open_ranker(inputs))
    sources = _sources(inputs, parts)
    settings = _settings(inputs, parts, config)
    made_of = [sources, _checksums(inputs, parts), settings, inputs.quality]
    name = fingerprint([*made_of, release(), LISTS_VERSION])
    if not fresh and (found := newest_of(root, name)) is not None:
        progress.start("index")
        progress.finish(f"snapshot {found.id} is up to date")
        return found
    id = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{name[:8]}"
    sealing = _Sealing(id, now, inputs, config, settings, sources, name, fresh)
    try:
        _fill_and_seal(sealing, parts, root, progress)
    except ArtifactError:
        # Another builder of the very same may have been first within this second.
        if not fresh and (twin := newest_of(root, name)) is not None:
            return twin
        raise
    return Snapshot.open(root.path(id), check=False)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Verified artifacts of training."""

    spaces: list[SpaceInput]
    tables: list[TableInput]
    ranker: RankerInput | None

    @property
    def manifests(self) -> dict[str, Manifest]:
        """What the artifacts say of themselves, by their places below the work folder."""
        spaces = {f"embeddings/{space.table.space}": space.manifest for space in self.spaces}
        tables = {f"tables/{table.name}": table.manifest for table in self.tables}
        ranker = {"ranker": self.ranker.manifest} if self.ranker is not None else {}
        return {**spaces, **tables, **ranker}


def _sources(inputs: SnapshotInputs, parts: _Parts) -> dict[str, str]:
    """Return the ids of the artifacts that a snapshot is made of, by their names."""
    manifests = {"prepared": inputs.prepared.manifest, **parts.manifests}
    return {name: manifest.id for name, manifest in manifests.items()}


@dataclass(frozen=True, slots=True)
class _Sealing:
    """What a snapshot is made from, and what its manifest says of that."""

    id: str
    now: datetime
    inputs: SnapshotInputs
    config: IndexConfig
    settings: Json
    sources: dict[str, str]
    fingerprint: str
    fresh: bool


def _fill_and_seal(
    sealing: _Sealing, parts: _Parts, root: VersionedRoot, progress: Progress
) -> None:
    id, inputs, config = sealing.id, sealing.inputs, sealing.config
    earlier = EarlierIndices() if sealing.fresh else EarlierIndices.below(root)
    # The stores are cleared once the snapshot is sealed: a run that is killed before finds them.
    with BlockStores(root.root / STORES_NAME) as stores, staged_folder(root.path(id)) as folder:
        lists = None if sealing.fresh else EarlierLists.newest(root)
        means = ListsMeans(block_engine(config), stores, lists)
        in_service = side_in_service(root)
        assembly = _Assembly(id, inputs, config, folder, progress, earlier, means, in_service)
        contents = assembly.fill(parts).model_copy(update={"fingerprint": sealing.fingerprint})
        seal(
            folder,
            kind="snapshot",
            id=id,
            config=sealing.settings,
            inputs=sealing.sources,
            versions=library_versions(),
            details=contents.model_dump(mode="json"),
            now=sealing.now,
        )


def _checksums(inputs: SnapshotInputs, parts: _Parts) -> Json:
    """Return what the files of the inputs hold: trained again, an id may stand for other vectors."""
    manifests = {"prepared": inputs.prepared.manifest, **parts.manifests}
    return {
        source.removeprefix("embeddings/"): {
            name: record.xxh3 for name, record in manifest.files.items()
        }
        for source, manifest in manifests.items()
    }


def _settings(inputs: SnapshotInputs, parts: _Parts, config: IndexConfig) -> Json:
    return {
        "prepare": inputs.prepared.manifest.config,
        "train": {space.table.space: space.manifest.config for space in parts.spaces},
        "tables": {table.name: table.manifest.config for table in parts.tables},
        **({"ranker": parts.ranker.manifest.config} if parts.ranker is not None else {}),
        "index": config.model_dump(mode="json"),
    }


@dataclass(frozen=True, slots=True)
class _Assembly:
    """Fills the folder of one snapshot and notes what is in it."""

    id: str
    inputs: SnapshotInputs
    config: IndexConfig
    folder: Path
    progress: Progress
    earlier: EarlierIndices
    means: ListsMeans
    in_service: Side | None
    indices: list[IndexEntry] = field(default_factory=list)
    neighbors: list[NeighborsEntry] = field(default_factory=list)
    recalls: list[IndexRecall] = field(default_factory=list)
    coverage: list[TableCoverage] = field(default_factory=list)
    without: list[SpaceWithout] = field(default_factory=list)

    @property
    def effort(self) -> BuildEffort:
        config = self.config
        return BuildEffort(config.seed, thread_count(config), config.gate.queries)

    @property
    def lists(self) -> ListsBuilder:
        shaping = {"seed": self.config.seed, "release": release()}
        return ListsBuilder(self.folder, self.inputs.prepared.catalog, self.means, shaping)

    def fill(self, parts: _Parts) -> SnapshotContents:
        """Write everything but the manifest."""
        prepared, spaces = self.inputs.prepared, parts.spaces
        link_files(prepared.path / ITEMS_FOLDER, self.folder / ITEMS_FOLDER)
        link_files(prepared.path / CATALOG_FOLDER, self.folder / CATALOG_FOLDER)
        PopularityTable.of(prepared.catalog).save(self.folder / POPULARITY_FOLDER)
        # A space may be configured by one table for each relation, and is linked once.
        distinct = {space.table.space: space for space in spaces}
        for space in distinct.values():
            link_space(space, self.folder)
        for space in spaces:
            self._index(space)
        anchors = self._anchors(self.config.anchors, distinct) if self.config.anchors else None
        gate = self._judge()
        return SnapshotContents(
            items=len(prepared.items),
            spaces=tuple(_space_entry(space) for space in distinct.values()),
            indices=tuple(self.indices),
            neighbors=tuple(self.neighbors),
            quality=self.inputs.quality,
            gate=gate.model_dump(mode="json"),
            anchors=anchors,
            bands=tuple(entry for space in spaces for entry in self._bands(space)),
            users=link_users(distinct.values(), self.folder),
            tables=tuple(table.link(self.folder) for table in parts.tables),
            ranker=parts.ranker.link(self.folder) if parts.ranker is not None else None,
        )

    def _bands(self, space: SpaceInput) -> list[BandsEntry]:
        bands = space.config.bands
        if bands is None:
            return []
        Limits.of(bands, self.inputs.prepared.catalog)  # refuses categories that are not there
        settings = bands.model_dump(mode="json")
        return [
            BandsEntry(space=space.table.space, relation=relation, settings=settings)
            for relation in space.relations
        ]

    def _anchors(self, config: AnchorsConfig, spaces: dict[str, SpaceInput]) -> AnchorsEntry:
        catalog = self.inputs.prepared.catalog
        builder = AnchorsBuilder(self.folder, catalog, self.effort, self.earlier)
        built = builder.build(config, spaces, progress=self.progress)
        self.recalls.extend(built.recalls)
        if built.without is not None:
            self.without.append(built.without)
        return built.entry

    def _judge(self) -> GateReport:
        difference = None
        if self.in_service is not None:
            self.progress.start("difference")
            difference = compare_snapshots(self.in_service, self._side())
            self.progress.finish(f"since {difference.before}")
        thresholds = self.config.gate
        gate = judge(thresholds, self.recalls, self.coverage, self.without, difference=difference)
        (self.folder / GATE_PAGE_NAME).write_text(gate.to_markdown(), "utf-8")
        return gate

    def _side(self) -> Side:
        prepared = self.inputs.prepared
        tables = {
            (entry.space, entry.relation): NeighborTable.open(self.folder / entry.folder)
            for entry in self.neighbors
        }
        return Side(self.id, prepared.items, prepared.catalog, tables)

    def _index(self, space: SpaceInput) -> None:
        table, catalog = space.table, self.inputs.prepared.catalog
        cut = partition(table, catalog, per_category=space.config.is_cut)
        if cut.without_vectors:
            self.without.append(SpaceWithout(space=table.space, categories=cut.without_vectors))
        for relation in space.relations:
            builder = RelationBuilder(
                self.folder, table, relation, catalog.popularity, self.effort, self.earlier
            )
            built = builder.build(space.config, cut, progress=self.progress)
            self.indices.extend(built.entries)
            self.recalls.extend(built.recalls)
            if space.config.neighbors:
                listed = self.lists.build(space, built.index, built.entries, progress=self.progress)
                self.neighbors.append(listed.entry)
                self.coverage.append(listed.coverage)


def _space_entry(space: SpaceInput) -> SpaceEntry:
    table = space.table
    return SpaceEntry(
        name=table.space,
        dim=table.dim,
        items=len(table),
        asymmetric=table.outputs is not None,
        lineage=dict(table.lineage),
    )
