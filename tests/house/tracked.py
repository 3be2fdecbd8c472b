"""The files that the repository holds, as the tests of this folder see them."""

import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("artifacts", "benchmarks", "cli", "indexer", "retrieval", "server", "trainer")
GENERATED = ("proto/shelfmate/v1/", "proto/google/")


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return every file that is committed or about to be, relative to the root, sorted."""
    if not (ROOT / ".git").exists():
        pytest.skip(
            "not a git checkout: nothing says which files are ours", allow_module_level=True
        )
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    paths = (Path(name) for name in listing.split("\0") if name)
    return tuple(sorted({path for path in paths if (ROOT / path).is_file()}))


def written_modules() -> list[Path]:
    """Return the Python modules written by hand, relative to the root."""
    return [
        path
        for path in tracked_files()
        if path.suffix == ".py" and not path.as_posix().startswith(GENERATED)
    ]
