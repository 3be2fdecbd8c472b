import os

# Milvus' client runs gRPC in threads of the process that later forks to start Spark. gRPC's own
# handlers of a fork close files that these threads wait on; nothing here talks gRPC in a forked child.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import pytest

from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from retrieval.candidates import Source
from retrieval.config import RetrievalConfig, ServingConfig
from retrieval.recommender import Recommender
from retrieval.state import ServingState, load_state
from tests.shop import build_shop


@pytest.fixture(scope="session")
def tiny_snapshots(tmp_path_factory) -> VersionedRoot:
    """A root with one small snapshot in use; nobody may change it."""
    return build_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def ranked_snapshots(tmp_path_factory) -> VersionedRoot:
    """A root with a snapshot of the same shop that has a ranker, in use, and an older one without."""
    from tests.ranked_shop import build_ranked_shop  # LightGBM takes a second to import

    return build_ranked_shop(tmp_path_factory.mktemp("ranked"))


@pytest.fixture(scope="session")
def ranked_snapshot(ranked_snapshots) -> Snapshot:
    return Snapshot.open(ranked_snapshots.current(hint="build_ranked_shop"))


@pytest.fixture(scope="session")
def ranked_state(ranked_snapshots) -> ServingState:
    return load_state(ranked_snapshots.current(hint="build_ranked_shop"))


@pytest.fixture(scope="session")
def tiny_snapshot(tiny_snapshots) -> Snapshot:
    return Snapshot.open(tiny_snapshots.current(hint="build_shop"))


@pytest.fixture(scope="session")
def tiny_state(tiny_snapshots) -> ServingState:
    return load_state(tiny_snapshots.current(hint="build_shop"))


@pytest.fixture(scope="session")
def tiny_configs() -> RetrievalConfig:
    return RetrievalConfig(
        serving={
            "offer_page": ServingConfig(),
            "live_only": ServingConfig(sources=(Source.LIVE,)),
            "by_content": ServingConfig(space="content"),
            "borrowing": ServingConfig(sources=(Source.HYBRID, Source.POPULAR), k=3),
        }
    )


@pytest.fixture(scope="session")
def tiny_recommender(tiny_state, tiny_configs) -> Recommender:
    return Recommender(tiny_state, tiny_configs)
