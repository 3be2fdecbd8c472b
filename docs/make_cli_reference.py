"""Write docs/cli.md from what the commands say of themselves; `make docs` runs this."""

import os
import re
import subprocess
import sys
from pathlib import Path

REFERENCE = Path(__file__).with_name("cli.md")
PROGRAMS = {"shelfmate": "cli.main", "bench": "benchmarks.cli"}

HEAD = """# Commands

Written by `make docs` from the commands' own help; a test compares the two. Exit codes stand in
[operations.md](operations.md#exit-codes).
"""


def reference() -> str:
    """Return the Markdown text that docs/cli.md should hold."""
    return "\n".join([HEAD, *(_section(name, module) for name, module in PROGRAMS.items())])


def _section(name: str, module: str) -> str:
    """Return the help of one program and of all its commands, one heading level down."""
    finished = subprocess.run(
        [sys.executable, "-m", "typer", module, "utils", "docs", "--name", name],
        cwd=REFERENCE.parents[1],
        # The width of whoever's terminal must not decide where lines break.
        env={**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return re.sub(r"^#", "##", finished.stdout.strip(), flags=re.MULTILINE) + "\n"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), "utf-8")
