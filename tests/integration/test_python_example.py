"""The example in Python says what our own client says."""

import os
import subprocess
import sys

from shelfmate.client import Options
from tests.house.tracked import ROOT
from tests.shop import item_id


def ask(target: str, *item_ids: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / "python" / "ask.py"), target, *item_ids]
    environment = {name: value for name, value in os.environ.items() if "SHELFMATE" not in name}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_example_says_what_the_client_says(child, client):
    done = ask(child.target, item_id(0), "nobody knows this", item_id(1))
    assert done.returncode == 0, done.stderr
    first, unknown, second = done.stdout.splitlines()
    for line, row in ((first, 0), (second, 1)):
        (answer,) = client.similar([item_id(row)], Options(k=5)).outcomes
        assert line == f"{item_id(row)}: {' '.join(answer.item_ids)}"
    assert unknown.startswith("nobody knows this: NOT_FOUND")


def test_example_says_why_an_entry_failed(child):
    done = ask(child.target, "")
    assert done.returncode == 0
    assert "INVALID_ARGUMENT" in done.stdout
