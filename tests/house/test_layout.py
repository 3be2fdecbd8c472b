import ast
import importlib
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.house.tracked import ROOMS, ROOT, tracked_files, written_modules

PACKAGES = (*ROOMS, "shelfmate.client", "shelfmate.v1")
OURS = {"shelfmate", "shelfmate-client"}
MAX_LINES = 450
FORBIDDEN_STEMS = {"utils", "common", "helpers", "base", "misc"}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_imported_from_this_tree(package):
    module = importlib.import_module(package)
    elsewhere = [folder for folder in module.__path__ if not Path(folder).is_relative_to(ROOT)]
    assert elsewhere == []


@pytest.mark.parametrize("name", [*ROOMS, "shelfmate"])
def test_no_other_distribution_brings_a_package_of_our_name(name):
    assert set(metadata.packages_distributions().get(name, ())) <= OURS


def test_wheel_carries_every_room_and_nothing_else():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(ROOMS)
    assert [room for room in ROOMS if not (ROOT / room / "__init__.py").is_file()] == []


def test_no_module_of_a_room_is_ignored_by_git():
    on_disk = {path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert on_disk - set(tracked_files()) == set()


def test_linter_reads_every_module():
    command = [str(Path(sys.executable).with_name("ruff")), "check", "--show-files", "."]
    shown = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    read = {Path(line).relative_to(ROOT) for line in shown.splitlines()}
    assert set(written_modules()) - read == set()


def test_proto_is_a_source_root_and_never_a_package():
    assert not (ROOT / "proto" / "__init__.py").exists()
    assert "proto" not in metadata.packages_distributions()


def test_no_module_imports_proto():
    offenders = [
        path
        for path in written_modules()
        if "proto" in {name.partition(".")[0] for name in _imported(_source(path))}
    ]
    assert offenders == []


def test_modules_are_short():
    lengths = {str(path): _source(path).count("\n") for path in written_modules()}
    too_long = {path: lines for path, lines in lengths.items() if lines > MAX_LINES}
    assert too_long == {}, f"at most {MAX_LINES} lines; split by concept"


def test_modules_are_named_for_what_they_hold():
    assert [path for path in written_modules() if path.stem in FORBIDDEN_STEMS] == []


def test_no_room_shadows_a_module_of_the_standard_library():
    assert set(ROOMS) & sys.stdlib_module_names == set()


def _source(path: Path) -> str:
    return (ROOT / path).read_text("utf-8")


def _imported(source: str) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return names
