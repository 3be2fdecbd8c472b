"""The connection to Milvus, which an extra brings."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from artifacts.errors import ArtifactError, BackendUnavailableError, ShelfmateError
from indexer.milvus_config import MilvusBuild


def connect(build: MilvusBuild) -> Any:
    """Return the client of a cluster or of a file; a process has one of each.

    Raises:
        BackendUnavailableError: pymilvus is not installed.
        ArtifactError: nothing answers there, or another process has the file open.
    """
    with translated(f"{build.uri}: expected a cluster, or a file that no other process has open"):
        return _client(build.uri, build.token_file)


def library() -> Any:
    """Import pymilvus.

    Raises:
        BackendUnavailableError: it is not installed.
    """
    try:
        # Neighbours may be computed by Spark, whose Java is started by a fork; gRPC's handlers of a
        # fork, on by default, then close files that its own threads wait on.
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
        import pymilvus
    except ImportError as error:
        raise BackendUnavailableError(
            "backend 'milvus': pymilvus is not installed; install shelfmate with the extra 'milvus'"
        ) from error
    return pymilvus


@contextmanager
def translated(what: str, to: type[ShelfmateError] = ArtifactError) -> Iterator[None]:
    """Raise errors of Milvus as ours."""
    milvus = library()
    try:
        yield
    except milvus.MilvusException as error:
        raise to(f"{what}: {error}") from error


@cache
def _client(uri: str, token_file: str) -> Any:
    token = Path(token_file).read_text("utf-8").strip() if token_file else ""
    return library().MilvusClient(uri=uri, token=token)
