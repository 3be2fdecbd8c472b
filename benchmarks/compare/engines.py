"""Search libraries, each called as its own documentation recommends."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from benchmarks.compare.task import FloatMatrix, IntMatrix, Task, releases, rising

LINKS = 16
"""Links a row of every graph, and the effort that graphs are built with: what the libraries' own
examples and documentation take, and the same for all."""
BUILD_EFFORT = 200
EFFORTS = rising(10, 1500)
TREES = 50
K_FACTOR = 20
SEED = 1


class Engine(Protocol):
    """A library with an index in memory."""

    knobs: list[int]
    """Efforts of a search, rising."""
    versions: dict[str, str]
    """Releases of what it is made of."""

    def tune(self, knob: int) -> None:
        """Search with this effort from now on."""

    def search(self, queries: FloatMatrix, k: int) -> IntMatrix:
        """Return (q, k) rows."""


class AnnoyEngine:
    """Random projection trees; knows no batches."""

    def __init__(self, base: FloatMatrix, seed: int = SEED) -> None:
        from annoy import AnnoyIndex

        self.knobs = rising(500, 400_000)
        self.versions = releases("annoy")
        self._search_k = self.knobs[0]
        self._forest = AnnoyIndex(base.shape[1], "angular")
        self._forest.set_seed(seed)
        for row, vector in enumerate(base):
            self._forest.add_item(row, vector)
        self._forest.build(TREES, n_jobs=-1)

    def tune(self, knob: int) -> None:
        """Set `search_k`."""
        self._search_k = knob

    def search(self, queries: FloatMatrix, k: int) -> IntMatrix:
        """Return (q, k) rows."""
        nearest = self._forest.get_nns_by_vector
        return np.array([nearest(query, k, self._search_k) for query in queries], dtype=np.int64)


class FaissEngine:
    """FAISS by a factory string; `{cells}` and `{codes}` are filled in by the size of the data."""

    def __init__(self, base: FloatMatrix, factory: str) -> None:
        import faiss

        cells = max(min(round(4 * math.sqrt(len(base))), len(base) // 39), 1)
        self.factory = factory.format(cells=cells, codes=max(base.shape[1] // 2, 1))
        self.knobs = EFFORTS if "HNSW" in factory else rising(1, cells, step=1.1)
        self.versions = releases("faiss-cpu")
        self._library: Any = faiss
        self._index = faiss.index_factory(base.shape[1], self.factory, faiss.METRIC_INNER_PRODUCT)
        self._index.train(base)
        self._index.add(base)
        self.tune(self.knobs[0])

    def tune(self, knob: int) -> None:
        """Set `efSearch` of a graph, `nprobe` of an inverted file."""
        library = self._library
        if "HNSW" in self.factory:
            self._effort = library.SearchParametersHNSW(efSearch=knob)
            return
        self._effort = library.SearchParametersIVF(nprobe=knob)
        if self.factory.endswith("RFlat"):
            self._effort = library.IndexRefineSearchParameters(
                k_factor=K_FACTOR, base_index_params=self._effort
            )

    def scored(self, queries: FloatMatrix, k: int) -> tuple[FloatMatrix, IntMatrix]:
        """Return (q, k) scores and rows; for the calling thread, on one core."""
        self._library.omp_set_num_threads(1)
        scores, rows = self._index.search(queries, k, params=self._effort)
        return scores, rows

    def search(self, queries: FloatMatrix, k: int) -> IntMatrix:
        """Return (q, k) rows."""
        return self.scored(queries, k)[1]


class HnswlibEngine:
    """The reference implementation of HNSW."""

    def __init__(self, base: FloatMatrix) -> None:
        import hnswlib

        self.knobs = EFFORTS
        self.versions = releases("hnswlib")
        self._graph = hnswlib.Index(space="ip", dim=base.shape[1])
        self._graph.init_index(len(base), M=LINKS, ef_construction=BUILD_EFFORT, random_seed=SEED)
        self._graph.add_items(base)

    def tune(self, knob: int) -> None:
        """Set `ef`."""
        self._graph.set_ef(knob)

    def search(self, queries: FloatMatrix, k: int) -> IntMatrix:
        """Return (q, k) rows."""
        rows: IntMatrix = self._graph.knn_query(queries, k, num_threads=1)[0].astype(np.int64)
        return rows


class VoyagerEngine:
    """Spotify's successor of Annoy."""

    def __init__(self, base: FloatMatrix) -> None:
        import voyager

        self.knobs = EFFORTS
        self.versions = releases("voyager")
        self._effort = EFFORTS[0]
        self._graph = voyager.Index(
            voyager.Space.Cosine,
            num_dimensions=base.shape[1],
            M=LINKS,
            ef_construction=BUILD_EFFORT,
            random_seed=SEED,
            max_elements=len(base),
        )
        self._graph.add_items(base)

    def tune(self, knob: int) -> None:
        """Set `query_ef`."""
        self._effort = knob

    def search(self, queries: FloatMatrix, k: int) -> IntMatrix:
        """Return (q, k) rows."""
        found = self._graph.query(queries, k, num_threads=1, query_ef=self._effort)[0]
        rows: IntMatrix = np.asarray(found).astype(np.int64)
        return rows


class UsearchEngine:
    """USearch, with its kernels for the processor at hand."""

    def __init__(self, base: FloatMatrix) -> None:
        from usearch.index import Index

        self.knobs = EFFORTS
        self.versions = releases("usearch")
        self._graph = Index(
            ndim=base.shape[1],
            metric="ip",
            dtype="f32",
            connectivity=LINKS,
            expansion_add=BUILD_EFFORT,
        )
        self._graph.add(np.arange(len(base)), base)

    def tune(self, knob: int) -> None:
        """Set `expansion_search`."""
        self._graph.expansion_search = knob

    def search(self, queries: FloatMatrix, k: int) -> IntMatrix:
        """Return (q, k) rows."""
        keys = np.asarray(self._graph.search(queries, k, threads=1).keys).astype(np.int64)
        rows: IntMatrix = keys.reshape(len(queries), k)
        return rows


class PgvectorEngine:
    """A table of PostgreSQL with a graph of pgvector, by one connection and prepared statements.

    The vectors go into a temporary table, so that nothing is left behind.
    """

    def __init__(self, base: FloatMatrix, dsn: str) -> None:
        import psycopg
        from pgvector.psycopg import register_vector

        self.knobs = rising(10, 1000)
        self._connection: Any = psycopg.connect(dsn, autocommit=True)
        run = self._connection.execute
        run("CREATE EXTENSION IF NOT EXISTS vector")
        register_vector(self._connection)
        run(f"CREATE TEMPORARY TABLE vectors (row integer, vector vector({base.shape[1]}))")
        with self._connection.cursor().copy(
            "COPY vectors (row, vector) FROM STDIN WITH (FORMAT BINARY)"
        ) as copy:
            copy.set_types(["int4", "vector"])
            for row, vector in enumerate(base):
                copy.write_row([row, vector])
        run("SET maintenance_work_mem = '1GB'")
        run(
            "CREATE INDEX ON vectors USING hnsw (vector vector_ip_ops) "
            f"WITH (m = {LINKS}, ef_construction = {BUILD_EFFORT})"
        )
        run("ANALYZE vectors")
        found = run("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
        server = f"{self._connection.info.server_version // 10_000}"
        self.versions = releases("psycopg") | {"pgvector": found[0], "postgresql": server}

    def tune(self, knob: int) -> None:
        """Set `hnsw.ef_search`."""
        self._connection.execute(f"SET hnsw.ef_search = {int(knob)}")

    def search(self, queries: FloatMatrix, k: int) -> IntMatrix:
        """Return (q, k) rows; the statements of a batch go out together."""
        statement = f"SELECT row FROM vectors ORDER BY vector <#> %b LIMIT {int(k)}"
        with self._connection.pipeline():
            cursors = [
                self._connection.execute(statement, (query,), prepare=True, binary=True)
                for query in queries
            ]
            answers = [[row for (row,) in cursor.fetchall()] for cursor in cursors]
        return np.array(answers, dtype=np.int64)


ENGINES: dict[str, Callable[[FloatMatrix, dict[str, Any]], Engine]] = {
    "annoy": lambda base, options: AnnoyEngine(base),
    "faiss": lambda base, options: FaissEngine(base, options["factory"]),
    "hnswlib": lambda base, options: HnswlibEngine(base),
    "voyager": lambda base, options: VoyagerEngine(base),
    "usearch": lambda base, options: UsearchEngine(base),
    "pgvector": lambda base, options: PgvectorEngine(base, options["dsn"]),
}


@contextmanager
def reported(task: Task) -> Iterator[None]:
    """Tell the benchmark of a peer that is not installed, and end this process."""
    try:
        yield
    except ImportError as error:
        task.absent(str(error))
        raise SystemExit(0) from error
