"""The example in Node gets the same answers as our own client, from the same .proto files."""

import json
import os
import shutil
import subprocess

import pytest

from shelfmate.client import Options, Recommendations
from tests.house.tracked import ROOT
from tests.shop import item_id

pytestmark = pytest.mark.extras

EXAMPLE = ROOT / "examples" / "node"


def ask(target: str, *item_ids: str) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if not (EXAMPLE / "node_modules" / "@grpc").is_dir():
        pytest.skip("packages of examples/node are not installed: npm ci")
    return subprocess.run(
        [node, "ask.js", target, *item_ids],
        cwd=EXAMPLE,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_node_gets_the_same_answers(child, client):
    ids = [item_id(0), item_id(1)]
    done = ask(child.target, *ids, "nobody knows this")
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    ours = client.similar(ids, Options(k=5))
    assert theirs["snapshot"] == ours.snapshot_id
    for answer, outcome in zip(theirs["similar"], ours.outcomes, strict=False):
        assert isinstance(outcome, Recommendations)
        assert answer["items"] == [
            {
                "item_id": item.item_id,
                "score": item.score,
                "source": f"SOURCE_{item.source.upper()}",
            }
            for item in outcome.items
        ]
    assert theirs["similar"][2] == {"code": 5}  # NOT_FOUND
    assert len(theirs["session"][0]["items"]) == 5


def test_node_says_why_a_call_failed(child):
    done = ask(child.target)
    assert done.returncode == 1
    assert done.stderr.startswith("INVALID_ARGUMENT: requests: expected 1 to 1000 entries")
