"""Write files and folders so that a reader sees all of them or none of them."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artifacts.errors import ArtifactError

STAGING_MARK = ".staging-"


def fsync_path(path: Path) -> None:
    """Flush a file's bytes, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, data: bytes) -> None:
    """Write `data` aside, fsync, and rename over `path`: old or new bytes, never a mixture."""
    aside = path.with_name(f".{path.name}{STAGING_MARK}{secrets.token_hex(4)}")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    fsync_path(path.parent)


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill; on success it becomes `target` at once, on failure it vanishes.

    The staging folder lies beside the target, because a rename is atomic only within one
    filesystem. A process that is killed leaves a folder marked as staging, which no reader opens
    and `remove_stale_staging` clears.

    Raises:
        ArtifactError: `target` exists already; artifacts are immutable.
    """
    if target.exists():
        raise ArtifactError(
            f"{target}: expected a new folder, but it exists; artifacts never change"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.parent / f".{target.name}{STAGING_MARK}{os.getpid()}-{secrets.token_hex(4)}"
    staging.mkdir()
    try:
        yield staging
        for path in staging.rglob("*"):
            fsync_path(path)
        fsync_path(staging)
        # A rename replaces an empty folder in silence, so two writers of one target must not race
        # to this line with nothing inside; a full folder makes the second one fail here.
        staging.rename(target)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise ArtifactError(f"{target}: could not be written: {error}") from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    fsync_path(target.parent)


def remove_stale_staging(root: Path) -> list[Path]:
    """Delete staging folders in `root` whose writer is no longer alive; return what was deleted."""
    stale = [path for path in root.glob(f".*{STAGING_MARK}*-*") if not _writer_lives(path)]
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)
    return stale


def _writer_lives(staging: Path) -> bool:
    pid = staging.name.rsplit(STAGING_MARK, 1)[1].split("-", 1)[0]
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return True
