"""The one place that turns settings and folders into indices."""

from dataclasses import replace
from pathlib import Path
from typing import assert_never

from pydantic import ValidationError

from artifacts.arrays import FloatMatrix
from artifacts.errors import ArtifactError, ConfigError
from artifacts.manifest import Json
from indexer.backends.annoy_forest import AnnoyForest
from indexer.backends.exact import ExactIndex
from indexer.backends.faiss_engine import FaissEngine
from indexer.backends.milvus_collection import MilvusCollection
from indexer.backends.simhash import SimHash
from indexer.config import (
    AnnoyConfig,
    AnnoySearch,
    BackendConfig,
    ExactConfig,
    FaissConfig,
    FaissSearch,
    SearchConfig,
    SimHashConfig,
    SimHashSearch,
)
from indexer.header import IndexHeader
from indexer.index import Index, Metric
from indexer.milvus_config import MilvusConfig, MilvusSearch
from indexer.vector_store import VectorStore


def build_index(
    vectors: FloatMatrix, metric: Metric, config: BackendConfig, *, seed: int, threads: int
) -> Index:
    """Build an index over n vectors.

    Args:
        vectors: (n, d) float32, C-contiguous, finite, n >= 1; zero rows and duplicates are legal.
        metric: what the index scores by.
        config: backend and its settings.
        seed: of everything random.
        threads: threads of the build; with one the result repeats byte for byte.

    Raises:
        DataError: the vectors break the rules above.
    """
    store = VectorStore.of(vectors, metric)
    match config:
        case ExactConfig():
            return ExactIndex.build(store)
        case AnnoyConfig():
            return AnnoyForest.build(store, config, seed=seed, threads=threads)
        case FaissConfig():
            return FaissEngine.build(store, config, seed=seed, threads=threads)
        case MilvusConfig():
            return MilvusCollection.build(store, config, seed=seed, threads=threads)
        case SimHashConfig():
            return SimHash.build(store, config, seed=seed, threads=threads)
        case _:
            assert_never(config)


def load_index(folder: Path, search: SearchConfig | None = None) -> Index:
    """Map an index that `Index.save` wrote.

    Args:
        folder: where it was saved; verified before, since libraries trust the bytes they map.
        search: replaces the search half of the settings stored with the index.

    Raises:
        ArtifactError: files are missing, malformed, or disagree.
        ConfigError: `search` belongs to another backend.
    """
    header = IndexHeader.open(folder)
    config = searched_with(header.config, search)
    match config:
        case ExactConfig():
            return ExactIndex.load(folder, header)
        case AnnoyConfig():
            return AnnoyForest.load(folder, header, config)
        case FaissConfig():
            return FaissEngine.load(folder, header, config)
        case MilvusConfig():
            return MilvusCollection.load(folder, header, config)
        case SimHashConfig():
            return SimHash.load(folder, header, config)
        case _:
            assert_never(config)


def with_search(index: Index, search: SearchConfig) -> Index:
    """Return an index with another search half; it shares all memory with the one that is given.

    Raises:
        ConfigError: `search` belongs to another backend.
    """
    half = {"search": search}
    if isinstance(index, AnnoyForest) and isinstance(search, AnnoySearch):
        return replace(index, config=index.config.model_copy(update=half))
    if isinstance(index, FaissEngine) and isinstance(search, FaissSearch):
        return replace(index, config=index.config.model_copy(update=half))
    if isinstance(index, MilvusCollection) and isinstance(search, MilvusSearch):
        return replace(index, config=index.config.model_copy(update=half))
    if isinstance(index, SimHash) and isinstance(search, SimHashSearch):
        return replace(index, config=index.config.model_copy(update=half))
    raise ConfigError(
        f"search settings: expected those of {type(index).__name__}, got {type(search).__name__}"
    )


def parsed_search(index: Index, settings: Json) -> SearchConfig:
    """Return search settings of an index as they were stored.

    Raises:
        ArtifactError: they are not of its backend.
    """
    if not isinstance(index, AnnoyForest | FaissEngine | MilvusCollection | SimHash):
        raise ArtifactError(f"search settings: expected none for an exact index, got {settings}")
    try:
        return type(index.config.search).model_validate(settings)
    except ValidationError as error:
        raise ArtifactError(f"search settings of {index.config.kind!r}: {error}") from error


def searched_with(config: BackendConfig, search: SearchConfig | None) -> BackendConfig:
    """Return `config` with its search half replaced.

    Raises:
        ConfigError: `search` belongs to another backend.
    """
    if search is None:
        return config
    stored = None if isinstance(config, ExactConfig) else config.search
    if type(search) is not type(stored):
        raise ConfigError(
            f"search settings: expected those of {config.kind!r}, got {type(search).__name__}"
        )
    return config.model_copy(update={"search": search})
