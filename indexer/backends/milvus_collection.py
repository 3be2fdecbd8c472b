"""Adapter to Milvus: vectors in a collection, found there and scored again here."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from artifacts.arrays import FloatMatrix, IntMatrix
from artifacts.errors import ArtifactError, NotReadyError
from artifacts.folders import write_file
from artifacts.manifest import fingerprint
from artifacts.neighbors import PAD_ROW, Neighbors
from indexer.backends.milvus_client import connect, library, translated
from indexer.header import IndexHeader
from indexer.milvus_config import MilvusBuild, MilvusConfig
from indexer.vector_store import SPARE_CANDIDATES, VectorStore

COLLECTION_NAME = "collection.json"
ROW, VECTOR = "row", "vector"

NUMBERS_PER_CALL = 1 << 22
"""Bound on the numbers sent in one call: 16 MB, where gRPC takes 64."""
MOST_HITS = 16_384
"""Milvus returns no more hits."""
LEAST_DIM = 2
"""Milvus knows no vectors of one dimension; they get a zero beside it."""


@dataclass(frozen=True, slots=True)
class MilvusCollection:
    """Asks a collection for candidates, and scores them by the vectors that are mapped here.

    The collection is named by what is in it: an index that is linked into the next snapshot goes
    on using it, and whoever builds the same again finds it there.

    Attributes:
        store: the vectors.
        client: the connection.
        name: of the collection.
        config: the settings.
    """

    store: VectorStore
    client: Any
    name: str
    config: MilvusConfig

    @classmethod
    def build(
        cls, store: VectorStore, config: MilvusConfig, *, seed: int, threads: int
    ) -> "MilvusCollection":
        """Fill a collection; Milvus has chance and threads of its own.

        Raises:
            BackendUnavailableError: pymilvus is not installed.
            ArtifactError: Milvus does not answer, or does not know the settings.
        """
        del seed, threads
        client, name = connect(config.build), _name(store, config.build)
        with translated(f"{config.build.uri}, collection {name}"):
            if _rows(client, name) != len(store):
                _fill(client, name, store.vectors, config.build)
        return cls(store, client, name, config)

    @property
    def dim(self) -> int:
        """Dimensions of the vectors."""
        return self.store.dim

    def __len__(self) -> int:
        return len(self.store)

    def search(self, queries: FloatMatrix, k: int) -> Neighbors:
        """Find the k best vectors for each query; see `indexer.index.Index.search`.

        Raises:
            NotReadyError: Milvus does not answer.

        Cost: a call for each 16 MB of queries.
        """
        queries = self.store.normalised(queries, k)
        wanted = min(k + SPARE_CANDIDATES, MOST_HITS)
        if wanted >= len(self):
            return self.store.rank_all(queries, k)
        step = max(NUMBERS_PER_CALL // max(self.dim, wanted), 1)
        candidates = np.full((len(queries), wanted), PAD_ROW, dtype=np.int32)
        for start in range(0, len(queries), step):
            block = slice(start, start + step)
            self._ask(queries[block], candidates[block])
        return self.store.rank(queries, candidates, k)

    def _ask(self, queries: FloatMatrix, candidates: IntMatrix) -> None:
        with translated(f"{self.config.build.uri}, collection {self.name}", NotReadyError):
            answers = self.client.search(
                self.name,
                data=list(_wide(queries)),
                limit=candidates.shape[1],
                search_params={"params": self.config.search.parameters},
                output_fields=[],
            )
        for line, hits in zip(candidates, answers, strict=True):
            line[: len(hits)] = [hit[ROW] for hit in hits]

    def save(self, folder: Path) -> None:
        """Write into `folder` what finds the collection again."""
        folder.mkdir(parents=True, exist_ok=True)
        self.store.save(folder)
        write_file(folder / COLLECTION_NAME, json.dumps({"name": self.name}).encode())
        IndexHeader(metric=self.store.metric, dim=self.dim, n=len(self), config=self.config).save(
            folder
        )

    @classmethod
    def load(cls, folder: Path, header: IndexHeader, config: MilvusConfig) -> "MilvusCollection":
        """Find the collection of an index that `save` wrote.

        Raises:
            BackendUnavailableError: pymilvus is not installed.
            ArtifactError: the collection is gone or holds another number of vectors.
        """
        name = collection_of(folder)
        client = connect(config.build)
        with translated(f"{config.build.uri}, collection {name}"):
            found = _rows(client, name)
            if found != header.n:
                raise ArtifactError(
                    f"{config.build.uri}: expected {header.n} vectors in collection {name}, "
                    f"found {found}"
                )
            client.load_collection(name)
        return cls(VectorStore.open(folder, header), client, name, config)


def collection_of(folder: Path) -> str:
    """Return the name of the collection of an index.

    Raises:
        ArtifactError: the file that names it is missing or malformed.
    """
    path = folder / COLLECTION_NAME
    try:
        return str(json.loads(path.read_bytes())["name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: does not name a collection: {error}") from error


def drop_collection(build: MilvusBuild, name: str) -> None:
    """Delete a collection, if it is there.

    Raises:
        BackendUnavailableError: pymilvus is not installed.
        ArtifactError: Milvus does not answer.
    """
    client = connect(build)
    with translated(f"{build.uri}, collection {name}"):
        client.drop_collection(name)


def _name(store: VectorStore, build: MilvusBuild) -> str:
    """Name a collection by its vectors and by what is built over them."""
    digest = xxhash.xxh3_128(
        fingerprint([build.index, build.parameters, store.vectors.shape]).encode()
    )
    digest.update(np.ascontiguousarray(store.vectors).data)
    return f"{build.prefix}_{digest.hexdigest()}"


def _rows(client: Any, name: str) -> int | None:
    """Return the number of vectors of a collection, None if there is none of that name."""
    if not client.has_collection(name):
        return None
    return int(client.get_collection_stats(name)["row_count"])


def _fill(client: Any, name: str, vectors: FloatMatrix, build: MilvusBuild) -> None:
    milvus = library()
    client.drop_collection(name)  # what a build that was killed has left
    schema = client.create_schema(auto_id=False)
    schema.add_field(ROW, milvus.DataType.INT64, is_primary=True)
    dim = max(vectors.shape[1], LEAST_DIM)
    schema.add_field(VECTOR, milvus.DataType.FLOAT_VECTOR, dim=dim)
    client.create_collection(name, schema=schema)
    step = max(NUMBERS_PER_CALL // dim, 1)
    for start in range(0, len(vectors), step):
        block = _wide(vectors[start : start + step])
        client.insert(
            name, [{ROW: start + place, VECTOR: vector} for place, vector in enumerate(block)]
        )
    client.flush(name)
    index = client.prepare_index_params()
    index.add_index(VECTOR, index_type=build.index, metric_type="IP", params=build.parameters)
    client.create_index(name, index)
    client.load_collection(name)


def _wide(vectors: FloatMatrix) -> FloatMatrix:
    if vectors.shape[1] >= LEAST_DIM:
        return vectors
    return np.hstack([vectors, np.zeros_like(vectors)])
