import mmap
import os
from pathlib import Path

import pytest

from artifacts.errors import ArtifactError
from artifacts.folders import staged_folder
from artifacts.manifest import MANIFEST_NAME, seal
from artifacts.versions import VersionedRoot


@pytest.fixture
def root(tmp_path: Path) -> VersionedRoot:
    return VersionedRoot(tmp_path / "versions")


def add(root: VersionedRoot, *ids: str) -> None:
    for id in ids:
        with staged_folder(root.path(id)) as staging:
            (staging / "data").write_text(id)
            seal(staging, kind="snapshot", id=id, config={}, inputs={}, versions={})
        # Sealed within one tick of the clock, versions would be told apart by name alone.
        order = len(root.ids())
        os.utime(root.path(id) / MANIFEST_NAME, (order, order))


def test_new_root_has_no_versions(root: VersionedRoot):
    assert root.ids() == []
    assert root.current_id() is None
    with pytest.raises(ArtifactError, match="run `shelfmate index` first"):
        root.current(hint="shelfmate index")


def test_versions_are_listed_oldest_first(root: VersionedRoot):
    add(root, "b", "a", "c")
    assert root.ids() == ["b", "a", "c"]


def test_mark_of_the_pointer_differs_each_time_it_is_moved(root: VersionedRoot):
    assert root.pointer_mark() is None
    add(root, "a", "b")
    marks = []
    for id in ("a", "b", "b"):
        root.use(id)
        assert root.pointer_mark() == root.pointer_mark()
        marks.append(root.pointer_mark())
    assert None not in marks
    assert marks[0] != marks[1] != marks[2]


def test_current_follows_use(root: VersionedRoot):
    add(root, "a", "b")
    root.use("b")
    root.use("a")
    assert root.current_id() == "a"
    assert root.current(hint="-") == root.path("a")


def test_unknown_version_is_not_put_in_use(root: VersionedRoot):
    add(root, "a")
    root.use("a")
    with pytest.raises(ArtifactError, match=r"no version z; there are: \['a'\]"):
        root.use("z")
    assert root.current_id() == "a"


def test_pointer_to_a_version_that_is_gone_is_named(root: VersionedRoot):
    add(root, "a")
    root.use("a")
    (root.path("a") / MANIFEST_NAME).unlink()
    with pytest.raises(ArtifactError, match="names a, which is not there"):
        root.current(hint="-")


def test_half_written_and_foreign_folders_are_no_versions(root: VersionedRoot):
    add(root, "a")
    root.path("unsealed").mkdir()
    (root.root / ".b.staging-1-ff").mkdir()
    (root.root / ".b.staging-1-ff" / MANIFEST_NAME).write_text("{}")
    (root.root / "file").write_text("x")
    assert root.ids() == ["a"]
    assert not root.has("unsealed")


@pytest.mark.parametrize(("keep", "left"), [(1, ["b"]), (2, ["b", "d"]), (9, ["a", "b", "c", "d"])])
def test_pruning_drops_the_oldest_and_never_the_one_in_use(
    root: VersionedRoot, keep: int, left: list[str]
):
    add(root, "a", "b", "c", "d")
    root.use("b")
    removed = root.prune(keep)
    assert root.ids() == left
    assert sorted(removed + left) == ["a", "b", "c", "d"]


def test_pruning_clears_what_a_killed_writer_left(root: VersionedRoot):
    add(root, "a")
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)  # from here on no process has that number
    stale = root.root / f".b.staging-{child}-ff"
    stale.mkdir()
    root.prune(3)
    assert not stale.exists()


def test_files_mapped_by_a_reader_outlive_pruning(root: VersionedRoot):
    add(root, "a", "b")
    root.use("b")
    with (root.path("a") / "data").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    root.prune(1)
    assert not root.path("a").exists()
    assert mapped[:] == b"a"
    mapped.close()
