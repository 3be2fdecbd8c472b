import shutil

import pytest

from artifacts.errors import RequestError
from artifacts.manifest import MANIFEST_NAME, read_manifest
from artifacts.versions import VersionedRoot
from server.convert.snapshots import snapshots_response
from shelfmate.v1 import admin_pb2 as pb


@pytest.fixture
def snapshots(two_nights, tmp_path) -> VersionedRoot:
    root = VersionedRoot(tmp_path / "snapshots")
    shutil.copytree(two_nights.root, root.root)
    return root


def listed(root: VersionedRoot, **fields) -> pb.ListSnapshotsResponse:
    return snapshots_response(root, pb.ListSnapshotsRequest(**fields))


def test_snapshots_are_listed_newest_first_with_what_they_hold(snapshots):
    first, second = snapshots.ids()
    response = listed(snapshots)
    assert [info.snapshot_id for info in response.snapshots] == [second, first]
    assert [info.item_count for info in response.snapshots] == [200, 180]
    assert (response.current_snapshot_id, response.next_page_token) == (first, "")
    info, manifest = response.snapshots[0], read_manifest(snapshots.path(second), "snapshot")
    assert info.created_at.ToMilliseconds() == manifest.created_at.timestamp() * 1_000
    on_disk = sum(f.stat().st_size for f in snapshots.path(second).rglob("*") if f.is_file())
    assert info.size_bytes == on_disk - (snapshots.path(second) / MANIFEST_NAME).stat().st_size
    (space,) = info.spaces
    assert (space.name, space.item_count) == ("cf", 180)
    assert space.precomputed_count > 0


def test_pages_make_up_the_whole_list(snapshots):
    whole = [info.snapshot_id for info in listed(snapshots).snapshots]
    found: list[str] = []
    token = ""
    for _ in whole:
        page = listed(snapshots, page_size=1, page_token=token)
        found += [info.snapshot_id for info in page.snapshots]
        token = page.next_page_token
    assert (found, token) == (whole, "")


@pytest.mark.parametrize("fields", [{"page_size": -1}, {"page_token": "of another listing"}])
def test_mistakes_name_their_field(snapshots, fields):
    with pytest.raises(RequestError) as caught:
        listed(snapshots, **fields)
    assert [caught.value.field] == list(fields)


def test_what_cannot_be_read_is_left_out(snapshots):
    first, second = snapshots.ids()
    (snapshots.path(second) / MANIFEST_NAME).write_text("{")
    assert [info.snapshot_id for info in listed(snapshots).snapshots] == [first]


def test_nothing_to_list_is_an_empty_page(tmp_path):
    response = listed(VersionedRoot(tmp_path / "nothing"))
    assert response == pb.ListSnapshotsResponse()
