from collections.abc import Iterator

import pytest

from artifacts.versions import VersionedRoot
from retrieval.config import RetrievalConfig
from tests.host_worker import build_two_nights, copy_of
from tests.serving import Child, serving


@pytest.fixture(scope="session")
def two_nights(tmp_path_factory) -> VersionedRoot:
    """Two snapshots, the older one in use; nobody may change them."""
    return build_two_nights(tmp_path_factory.mktemp("nights"))


@pytest.fixture
def snapshots(two_nights, tmp_path) -> VersionedRoot:
    copy_of(two_nights, tmp_path)
    return VersionedRoot(tmp_path / "snapshots")


@pytest.fixture
def host(snapshots, tmp_path) -> Iterator[Child]:
    """A host of two workers that notice at once what is current."""
    with serving(snapshots, tmp_path, RetrievalConfig(), workers=2, watch_s=0.05) as child:
        yield child
