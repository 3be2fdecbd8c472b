"""A folder for what a stage needs only while it runs."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artifacts.folders import STAGING_MARK


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Give a new folder inside `parent`, gone at the end whatever happens.

    It is named as staging, so that what a killed process leaves is cleared with the next pruning.
    """
    folder = parent / f".scratch{STAGING_MARK}{os.getpid()}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
