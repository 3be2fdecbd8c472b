import re
import subprocess
import sys
from importlib import metadata

import pytest

from tests.house.tracked import ROOT

OURS = {"shelfmate", "shelfmate-client"}
# What `requirements/server.txt` does not bring is made to look absent, then the module is imported.
PROGRAM = """
import importlib, sys
for name in sys.argv[2:]:
    sys.modules[name] = None
importlib.import_module(sys.argv[1])
"""


@pytest.mark.parametrize("module", ["server.app", "retrieval.recommender", "cli.main"])
def test_serving_needs_nothing_beyond_the_server_requirements(module):
    command = [sys.executable, "-c", PROGRAM, module, *_absent_on_a_serving_host()]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr


def test_client_needs_grpc_alone():
    listing = "import shelfmate.client, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", listing], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    tops = {name.partition(".")[0] for name in loaded}
    assert tops & {"numpy", "pydantic", "pyarrow", "artifacts", "retrieval", "server"} == set()


def _absent_on_a_serving_host() -> list[str]:
    pins = (ROOT / "requirements" / "server.txt").read_text("utf-8")
    present = OURS | set(re.findall(r"^([a-z0-9-]+)==", pins, flags=re.MULTILINE))
    return sorted(
        name
        for name, distributions in metadata.packages_distributions().items()
        if not present & {re.sub(r"[-_.]+", "-", found).lower() for found in distributions}
    )
