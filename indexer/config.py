"""Settings of the indexer: the tables [index] and [[index.spaces]] of a shop file."""

import os
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from artifacts.relation import Relation
from indexer.anchors_config import AnchorsConfig
from indexer.bands_config import BandsConfig
from indexer.milvus_config import MilvusConfig, MilvusSearch
from indexer.target_config import TargetConfig

FROZEN = ConfigDict(frozen=True, extra="forbid")

CUT_SPACES = frozenset({"content", "image"})
"""Spaces of what a product is: what is like it lies in its own top category, as a rule."""


class ExactConfig(BaseModel):
    """Every vector is compared; the oracle, and the best choice below some thousand vectors."""

    model_config = FROZEN

    kind: Literal["exact"] = "exact"


class AnnoyBuild(BaseModel):
    """What a forest is built with."""

    model_config = FROZEN

    n_trees: PositiveInt = 50
    """Trees; more of them cost memory and raise recall at equal `search_k`."""


class AnnoySearch(BaseModel):
    """What a forest is searched with."""

    model_config = FROZEN

    search_k: PositiveInt = 20_000
    """Vectors inspected per query, over all trees."""


class AnnoyConfig(BaseModel):
    """Random projection trees by Annoy."""

    model_config = FROZEN

    kind: Literal["annoy"] = "annoy"
    build: AnnoyBuild = AnnoyBuild()
    """Build half; a change of it needs a new index."""
    search: AnnoySearch = AnnoySearch()
    """Search half; may be replaced when the index is loaded."""


class FaissBuild(BaseModel):
    """What FAISS builds."""

    model_config = FROZEN

    factory: str = Field(default="IVF,Flat", min_length=1)
    """FAISS's factory string, such as `IVF1024,PQ50x4fs,RFlat` or `HNSW32`. `IVF` without a number
    takes twice the square root of the number of vectors, `PQx4fs` codes of two dimensions each."""

    @model_validator(mode="before")
    @classmethod
    def _read_cells(cls, given: object) -> object:
        """Read `nlist`, by which inverted files were described before factory strings were."""
        if not isinstance(given, dict) or set(given) != {"nlist"}:
            return given
        cells = given["nlist"]
        return {"factory": "IVF,Flat" if cells == "auto" else f"IVF{cells},Flat"}


class FaissSearch(BaseModel):
    """What FAISS is searched with; each engine reads what it knows."""

    model_config = FROZEN

    nprobe: PositiveInt = 32
    """Cells visited per query, by inverted files."""
    k_factor: PositiveInt = 1
    """Candidates for each neighbour wanted that are scored by whole vectors: 1 is enough where the
    engine keeps whole vectors, 10 to 40 where it keeps codes."""
    ef_search: PositiveInt = 64
    """Vectors kept in view while a graph is walked."""


class FaissConfig(BaseModel):
    """Inverted files, graphs and codes by FAISS."""

    model_config = FROZEN

    kind: Literal["faiss"] = "faiss"
    build: FaissBuild = FaissBuild()
    """Build half; a change of it needs a new index."""
    search: FaissSearch = FaissSearch()
    """Search half; may be replaced when the index is loaded."""


class SimHashBuild(BaseModel):
    """What codes and buckets are made with."""

    model_config = FROZEN

    bits: int = Field(default=128, ge=128, le=1024, multiple_of=128)
    """Bits of a code, a multiple of 128; more of them name the candidates better and cost as much."""
    tables: Annotated[int, Field(ge=1, le=16)] | Literal["auto"] = "auto"
    """Orders in which the codes are stored, each by buckets of its own; `auto` takes one for each
    600,000 vectors, where reading fewer codes pays for storing them again."""


class SimHashSearch(BaseModel):
    """What a search reads and scores."""

    model_config = FROZEN

    probe: float = Field(default=0.5, gt=0, le=1)
    """Share of the buckets of each table whose codes are read; the nearest to the query."""
    candidates: PositiveInt = 500
    """Vectors that are scored, by the best of the codes read; never fewer than 4 k."""


class SimHashConfig(BaseModel):
    """Signs of random projections, read bucket by bucket; what looks near is scored exactly."""

    model_config = FROZEN

    kind: Literal["simhash"] = "simhash"
    build: SimHashBuild = SimHashBuild()
    """Build half; a change of it needs a new index."""
    search: SimHashSearch = SimHashSearch()
    """Search half; may be replaced when the index is loaded."""


BackendConfig: TypeAlias = Annotated[
    ExactConfig | AnnoyConfig | FaissConfig | MilvusConfig | SimHashConfig,
    Field(discriminator="kind"),
]
SearchConfig: TypeAlias = AnnoySearch | FaissSearch | MilvusSearch | SimHashSearch


class GateConfig(BaseModel):
    """Thresholds below which a snapshot is not published."""

    model_config = FROZEN

    min_recall: float = Field(default=0.9, ge=0, le=1)
    """Recall@10 against exact search, for each index: over its items, and over their visits."""
    min_coverage: float = Field(default=0.0, ge=0, le=1)
    """Share of catalogue items that have a precomputed neighbour, for each table."""
    queries: PositiveInt = 200
    """Queries sampled per index, evenly and by visits so many each."""
    min_overlap: float = Field(default=0.0, ge=0, le=1)
    """Mean Jaccard overlap of lists with those of the snapshot in service, for each table; 0 lets
    lists change as they will."""
    max_lost_share: float = Field(default=1.0, ge=0, le=1)
    """Share of the items with neighbours in the snapshot in service that may have none any more, for
    each table; 1 allows all of them."""

    @property
    def allows_any_difference(self) -> bool:
        """Whether nothing is asked of the difference to the snapshot in service."""
        return self.min_overlap == 0 and self.max_lost_share == 1


class PrecomputeConfig(BaseModel):
    """The table [index.precompute]."""

    model_config = FROZEN

    engine: Literal["threads", "spark"] = "threads"
    """Threads of this process, or Spark, which needs the extra `spark` and, on several machines, a
    work folder that all of them see under the same path."""
    spark: dict[str, str] = Field(default={})
    """Properties of the Spark session, such as `"spark.master"`; without one, Spark runs in this
    machine alone."""


class SpaceIndexConfig(BaseModel):
    """How one space is indexed: one table [[index.spaces]]."""

    model_config = FROZEN

    space: str = Field(min_length=1)
    """Name of the space, such as `cf`."""
    relations: tuple[Relation, ...] = ()
    """Relations wanted; empty means all that the space can answer."""
    backend: BackendConfig | None = None
    """Search engine of everything that is not small; FAISS where there is no target either."""
    target: TargetConfig | None = None
    """What searches are to reach; each part that is not small finds its backend by measuring."""
    per_category: bool | None = None
    """One index per top category instead of one for the space; None cuts `content` and `image`."""
    exact_below: int = Field(default=1000, ge=0)
    """Parts with fewer vectors than this are searched exactly, whatever the backend."""
    neighbors: int = Field(default=50, ge=0)
    """Neighbours precomputed for each item; 0 for no table."""
    bands: BandsConfig | None = None
    """What is too close or too far to be a neighbour; None leaves nothing but the item itself out."""

    @property
    def is_cut(self) -> bool:
        """Whether each top category has an index of its own."""
        return self.space in CUT_SPACES if self.per_category is None else self.per_category

    @model_validator(mode="after")
    def _is_told_or_measured(self) -> "SpaceIndexConfig":
        if self.backend is not None and self.target is not None:
            raise ValueError(f"space {self.space!r}: expected backend or target, got both")
        return self


class IndexConfig(BaseModel):
    """The table [index]."""

    model_config = FROZEN

    spaces: tuple[SpaceIndexConfig, ...] = Field(min_length=1)
    """The spaces that enter the snapshot."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Seed of everything random in a build."""
    threads: int = Field(default=0, ge=0)
    """Threads of a build; 0 means one per core. With one, a build repeats byte for byte."""
    precompute: PrecomputeConfig = PrecomputeConfig()
    """What computes the neighbours of every item."""
    gate: GateConfig = GateConfig()
    """What a snapshot must reach to be published."""
    anchors: AnchorsConfig | None = None
    """Popular items whose lists new ones borrow; without the table the shop has no hybrid."""
    keep: PositiveInt = 3
    """Snapshots kept when one is published, itself included."""

    @model_validator(mode="after")
    def _names_no_relation_twice(self) -> "IndexConfig":
        seen: set[tuple[str, Relation]] = set()
        for space in self.spaces:
            for relation in space.relations or tuple(Relation):
                if (space.space, relation) in seen:
                    raise ValueError(f"space {space.space!r}: {relation} is configured twice")
                seen.add((space.space, relation))
        return self


def thread_count(config: IndexConfig) -> int:
    """Return the threads that a build may use."""
    return config.threads or os.cpu_count() or 1
