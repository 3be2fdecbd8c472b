import pytest

from shelfmate.client import Client
from tests.serving import Child, serving


@pytest.fixture(scope="package")
def child(tiny_snapshots, tiny_configs, tmp_path_factory) -> Child:
    with serving(tiny_snapshots, tmp_path_factory.mktemp("serving"), tiny_configs) as child:
        yield child


@pytest.fixture(scope="package")
def client(child) -> Client:
    with Client(child.target, timeout_s=20) as client:
        yield client
