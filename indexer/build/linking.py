"""Copies of immutable files that cost no space where the filesystem allows."""

import os
import shutil
from pathlib import Path


def link_files(source: Path, target: Path, names: tuple[str, ...] | None = None) -> None:
    """Hard-link the files of folder `source` into the new folder `target`, copy where that fails.

    Artifacts never change, so one file may belong to several of them; deleting either leaves the
    other whole.

    Args:
        source: a folder without folders inside.
        target: a folder that does not exist.
        names: the files wanted, where they exist; None for all.
    """
    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        if names is None or path.name in names:
            _link_or_copy(path, target / path.name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another filesystem, or one without hard links
        shutil.copyfile(source, target)
