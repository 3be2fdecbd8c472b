"""Say in one line what this machine lacks to build `.venv`, before pip says it in a hundred.

Runs under the interpreter that `make` was given, which may be older than the project needs.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

NEEDED = (3, 11)
COMPILERS = ("c++", "g++", "clang++")


def missing_parts() -> Iterator[str]:
    """Yield what is missing, a sentence each."""
    found = sys.version_info[:3]
    if found < NEEDED:
        yield "expected Python >= {}.{}, got {}.{}.{} at {}; try `make PYTHON=python3.11 ...`".format(
            *(NEEDED + found + (sys.executable,))
        )
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        yield "expected the standard modules venv and ensurepip (on Debian: apt install python3-venv)"
    if not Path(sysconfig.get_paths()["include"], "Python.h").is_file():
        yield "expected Python's C headers (on Debian: apt install python3-dev)"
    wanted = [os.environ["CXX"].split()[0]] if os.environ.get("CXX", "").strip() else COMPILERS
    if not any(shutil.which(name) for name in wanted):
        yield "expected a C++ compiler on the PATH ({}), for annoy and fasttext (on Debian: apt install g++)".format(
            " or ".join(wanted)
        )


if __name__ == "__main__":
    problems = list(missing_parts())
    if problems:
        sys.exit("\n".join("cannot build .venv: " + problem for problem in problems))
