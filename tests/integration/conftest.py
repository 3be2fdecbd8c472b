from collections.abc import Iterator

import pytest

from shelfmate.client import Access, Client
from tests.serving import Child, serving


@pytest.fixture(scope="package")
def child(tiny_snapshots, tiny_configs, tmp_path_factory) -> Iterator[Child]:
    with serving(tiny_snapshots, tmp_path_factory.mktemp("serving"), tiny_configs) as child:
        yield child


@pytest.fixture(scope="package")
def client(child) -> Iterator[Client]:
    with Client(
        child.target, timeout_s=20, access=Access(admin_target=child.admin_target)
    ) as client:
        yield client
