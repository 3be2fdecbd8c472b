import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.cli import app as bench_app
from cli.main import app as shelfmate_app
from tests.docs.command_lines import command_tree
from tests.docs.pages import GENERATED, ROOT


def test_reference_is_what_the_commands_say_of_themselves():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/make_cli_reference.py")
    assert spec is not None
    assert spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    assert GENERATED.read_text("utf-8") == writer.reference(), "run `make docs`"


@pytest.mark.parametrize("application", [shelfmate_app, bench_app], ids=["shelfmate", "bench"])
def test_every_command_and_option_says_what_it_is_for(application):
    silent = [
        f"{path} {parameter.opts[0]}"
        for path, command in _commands("", command_tree(application))
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.help
    ]
    untold = [
        path for path, command in _commands("", command_tree(application)) if not command.help
    ]
    assert (silent, untold) == ([], [])


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(f"{path} {name}".strip(), child)
