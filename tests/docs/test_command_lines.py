from typing import Annotated

import pytest
import typer

from tests.docs.command_lines import command_lines, command_tree, make_targets, problem

toy = typer.Typer()


@toy.command("build")
def _build(item: str, config: Annotated[str, typer.Option("--config", "-c")], dry: bool = False):
    """Take an argument, an option with a value and a flag."""


@toy.command("stop")
def _stop():
    """Take nothing."""


PROGRAMS = {"toy": command_tree(toy)}


@pytest.mark.parametrize(
    "line",
    [
        "toy build shoe --config shop.toml --no-dry",
        "toy build -c shop.toml shoe --dry",
        "toy build --config=shop.toml shoe",
        "toy build --help",
        ".venv/bin/toy stop",
        "other --anything goes",
        "make test demo PYTHON=python3.12",
    ],
)
def test_commands_that_exist_pass(line):
    assert [problem(words, PROGRAMS) for words in command_lines(line, prompt=False)] == [None]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("toy biuld shoe", "toy has no command biuld"),
        ("toy build shoe --confg shop.toml", "toy build has no option --confg"),
        ("toy stop now", "toy stop takes no argument, got now"),
        ("make tets", "make has no target tets"),
    ],
)
def test_commands_that_do_not_exist_are_named(line, complaint):
    assert [problem(words, PROGRAMS) for words in command_lines(line, prompt=False)] == [complaint]


def test_commands_are_found_between_shell_operators():
    text = "A=1 toy stop && toy build x \\\n  -c y | head > out.txt  # toy remark\n\ntoy stop &\n"
    found = [words for words in command_lines(text, prompt=False) if words[0] == "toy"]
    assert found == [["toy", "stop"], ["toy", "build", "x", "-c", "y"], ["toy", "stop"]]


def test_output_below_a_prompt_is_not_a_command():
    assert list(command_lines("$ toy stop\ntoy stopped\n", prompt=True)) == [["toy", "stop"]]


def test_targets_of_the_makefile_are_known():
    assert {"help", "demo", "test", "test-extras", "check", "proto"} <= make_targets()
