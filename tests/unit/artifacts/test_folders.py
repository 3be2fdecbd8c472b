import os
import subprocess
import sys
from pathlib import Path

import pytest

from artifacts.errors import ArtifactError
from artifacts.folders import remove_stale_staging, staged_folder, write_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_target_appears_whole_at_the_end(tmp_path: Path):
    with staged_folder(tmp_path / "new") as staging:
        (staging / "inner").mkdir()
        (staging / "inner" / "file").write_text("x")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "inner" / "file").read_text() == "x"
    assert names(tmp_path) == ["new"]


@pytest.mark.parametrize("error", [ValueError("own"), KeyboardInterrupt()], ids=["error", "ctrl-c"])
def test_failure_leaves_nothing_and_passes_through(tmp_path: Path, error: BaseException):
    def fill_and_fail() -> None:
        with staged_folder(tmp_path / "new") as staging:
            (staging / "file").write_text("x")
            raise error

    with pytest.raises(type(error)):
        fill_and_fail()
    assert names(tmp_path) == []


def test_disk_errors_become_artifact_errors_and_leave_nothing(tmp_path: Path):
    with (
        pytest.raises(ArtifactError, match=r"new: could not be written: .*No space"),
        staged_folder(tmp_path / "new"),
    ):
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == []


def test_existing_target_is_refused_and_kept(tmp_path: Path):
    (tmp_path / "old").mkdir()
    with pytest.raises(ArtifactError, match="exists"), staged_folder(tmp_path / "old"):
        pass
    assert names(tmp_path) == ["old"]


def test_second_of_two_writers_fails_and_the_first_result_stays(tmp_path: Path):
    def write_while_another_does() -> None:
        with staged_folder(tmp_path / "new") as slow:
            (slow / "file").write_text("slow")
            with staged_folder(tmp_path / "new") as fast:
                (fast / "file").write_text("fast")

    with pytest.raises(ArtifactError, match="could not be written"):
        write_while_another_does()
    assert (tmp_path / "new" / "file").read_text() == "fast"
    assert names(tmp_path) == ["new"]


def test_written_file_replaces_the_old_one_and_leaves_no_other(tmp_path: Path):
    write_file(tmp_path / "file", b"old")
    write_file(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert names(tmp_path) == ["file"]


def test_failed_write_keeps_the_old_file(tmp_path: Path):
    (tmp_path / "file").mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(OSError, match="file"):
        write_file(tmp_path / "file", b"new")
    assert names(tmp_path) == ["file"]


def test_staging_of_a_killed_writer_is_cleared_and_that_of_a_living_one_kept(tmp_path: Path):
    code = (
        "import sys, os, pathlib; from artifacts.folders import staged_folder\n"
        "with staged_folder(pathlib.Path(sys.argv[1])) as staging:\n"
        "    (staging / 'half').write_text('x'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "killed")], check=False)
    assert len(names(tmp_path)) == 1
    with staged_folder(tmp_path / "alive"):
        removed = remove_stale_staging(tmp_path)
        assert [path.name.split(".")[1] for path in removed] == ["killed"]
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == ["alive"]


def test_folders_that_only_look_like_staging_are_kept(tmp_path: Path):
    (tmp_path / f".x.staging-{os.getpid()}-aa").mkdir()
    (tmp_path / ".x.staging-word-aa").mkdir()
    assert remove_stale_staging(tmp_path) == []
