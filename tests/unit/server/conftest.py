import pytest

from artifacts.versions import VersionedRoot
from tests.host_worker import build_two_nights


@pytest.fixture(scope="package")
def two_nights(tmp_path_factory) -> VersionedRoot:
    """Two snapshots, the older one in use; nobody may change them."""
    return build_two_nights(tmp_path_factory.mktemp("nights"))
