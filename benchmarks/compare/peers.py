"""What is compared, and how each of them is set up."""

from typing import Any, Literal, NamedTuple

IVF = "IVF{cells},Flat"
CODES = "IVF{cells},PQ{codes}x4fs,RFlat"
GRAPH = "HNSW32"


class Peer(NamedTuple):
    """One of those that are compared."""

    name: str
    """For commands and tables."""
    kind: Literal["ours", "server", "library"]
    """Ours, a server that a shop might run instead, or a library in the caller's own process."""
    module: str
    """Of `benchmarks.compare`; runs in a process of its own."""
    engine: str
    """Which of the engines that the module knows."""
    options: dict[str, Any]
    """Of the engine."""
    setup: str
    """In words."""


def peers(dsn: str | None) -> list[Peer]:
    """Return everything that can be compared.

    Args:
        dsn: of a PostgreSQL that has pgvector; without one, pgvector is left out.
    """
    database = [_PGVECTOR._replace(options={"dsn": dsn})] if dsn else []
    return [*_OURS, *_SERVERS, *database, *_LIBRARIES]


_OURS = (
    Peer(
        "shelfmate-simhash",
        "ours",
        "shelfmate_server",
        "simhash",
        {},
        "our server on a snapshot, SearchNeighbors; backend simhash, tuned by probe and candidates",
    ),
    Peer(
        "shelfmate-faiss",
        "ours",
        "shelfmate_server",
        "faiss",
        {},
        "our server on a snapshot, SearchNeighbors; backend faiss, IVF,PQx4fs, k_factor 20, tuned by "
        "nprobe",
    ),
)
_SERVERS = (
    Peer(
        "fastapi-ivf",
        "server",
        "fastapi_faiss",
        "faiss",
        {"factory": IVF},
        "FastAPI under one uvicorn worker (uvloop, httptools), orjson both ways, no validation, FAISS "
        "IVF,Flat of 4 sqrt(n) cells in the event loop, tuned by nprobe",
    ),
    Peer(
        "fastapi-codes",
        "server",
        "fastapi_faiss",
        "faiss",
        {"factory": CODES},
        "FastAPI under one uvicorn worker (uvloop, httptools), orjson both ways, no validation, FAISS "
        "IVF,PQx4fs,RFlat of 4 sqrt(n) cells, k_factor 20, in the event loop, tuned by nprobe",
    ),
    Peer(
        "chroma",
        "server",
        "chroma",
        "",
        {},
        "`chroma run` (the server in Rust), HNSW, inner product, max_neighbors 16, ef_construction 200, tuned by ef_search; "
        "ids and distances are returned",
    ),
    Peer(
        "milvus-lite",
        "server",
        "milvus_lite",
        "",
        {},
        "`milvus-lite server` over gRPC, HNSW, inner product, M 16, efConstruction 200, tuned by ef; ids "
        "are returned",
    ),
)
_PGVECTOR = Peer(
    "pgvector",
    "server",
    "library",
    "pgvector",
    {},
    "PostgreSQL by one psycopg connection, prepared binary statements, batches in pipeline mode, HNSW, "
    "m 16, ef_construction 200, tuned by hnsw.ef_search; the database itself is not pinned to a core",
)
_LIBRARIES = (
    Peer("annoy", "library", "library", "annoy", {}, "50 trees, tuned by search_k"),
    Peer("hnswlib", "library", "library", "hnswlib", {}, "M 16, ef_construction 200, tuned by ef"),
    Peer(
        "voyager",
        "library",
        "library",
        "voyager",
        {},
        "M 16, ef_construction 200, tuned by query_ef",
    ),
    Peer(
        "usearch",
        "library",
        "library",
        "usearch",
        {},
        "float32, connectivity 16, expansion_add 200, tuned by expansion_search",
    ),
    Peer(
        "faiss-ivf",
        "library",
        "library",
        "faiss",
        {"factory": IVF},
        "IVF,Flat of 4 sqrt(n) cells, tuned by nprobe",
    ),
    Peer(
        "faiss-codes",
        "library",
        "library",
        "faiss",
        {"factory": CODES},
        "IVF,PQx4fs,RFlat, k_factor 20, tuned by nprobe",
    ),
    Peer(
        "faiss-graph",
        "library",
        "library",
        "faiss",
        {"factory": GRAPH},
        "HNSW32, tuned by efSearch",
    ),
)
