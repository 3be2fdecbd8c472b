"""The folder `proto/` alone is enough to call a server, in any language that protoc knows."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shelfmate.client import Options, Recommendations
from tests.house.tracked import ROOT
from tests.shop import item_id


@pytest.fixture(scope="module")
def stubs(tmp_path_factory) -> Path:
    """Stubs made by plain protoc from a copy of the .proto files and nothing else."""
    folder = tmp_path_factory.mktemp("foreign")
    sources = folder / "proto"
    for path in (ROOT / "proto").rglob("*.proto"):
        copy = sources / path.relative_to(ROOT / "proto")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    out = folder / "stubs"
    out.mkdir()
    names = sorted(str(path.relative_to(sources)) for path in sources.rglob("*.proto"))
    command = [sys.executable, "-m", "grpc_tools.protoc", "--proto_path=."]
    command += [f"--python_out={out}", f"--grpc_python_out={out}", *names]
    subprocess.run(command, cwd=sources, check=True)
    return out


def test_a_client_generated_from_the_folder_gets_the_same_answers_as_ours(stubs, child, client):
    ids = [item_id(0), item_id(1), "nobody knows this"]
    program = Path(__file__).with_name("foreign_client.py")
    done = subprocess.run(
        [sys.executable, str(program), str(stubs), child.target, *ids],
        capture_output=True,
        text=True,
        cwd=stubs,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    ours = client.similar(ids, Options(k=5, unknown_items="fail"))
    assert theirs["snapshot"] == ours.snapshot_id
    for answer, outcome in zip(theirs["answers"][:2], ours.outcomes[:2], strict=True):
        assert isinstance(outcome, Recommendations)
        assert answer["items"] == [[item.item_id, item.score] for item in outcome.items]
    assert theirs["answers"][2] == {"code": 5}  # NOT_FOUND
