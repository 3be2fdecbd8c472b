"""Finds the commands of ours in a block of shell text, and says what is wrong with each."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer.main

from tests.docs.pages import ROOT

OPERATORS = {"|", "||", "&&", "&", ";", ">", ">>", "<", "(", ")"}
ASSIGNMENT = re.compile(r"^\w+=")


def command_lines(text: str, *, prompt: bool) -> Iterator[list[str]]:
    """Yield the words of every simple command.

    Args:
        text: of a block; lines that end in a backslash are joined.
        prompt: only lines that begin with `$ ` are commands, the others are output.
    """
    for line in text.replace("\\\n", " ").splitlines():
        if prompt and not line.startswith("$ "):
            continue
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        yield from _split(list(lexer))


def problem(words: list[str], programs: dict[str, Any]) -> str | None:
    """Return what is wrong with a command, or None.

    Args:
        words: program and arguments; a program that is not ours is never wrong.
        programs: the parsed command trees of our programs, by name.
    """
    name = Path(words[0]).name
    if name == "make":
        unknown = {
            word for word in words[1:] if "=" not in word and word[0] != "-"
        } - make_targets()
        return f"make has no target {min(unknown)}" if unknown else None
    if name not in programs:
        return None
    return _walk(name, programs[name], words[1:])


@cache
def make_targets() -> frozenset[str]:
    """Return the names that `make` accepts here."""
    text = (ROOT / "Makefile").read_text("utf-8")
    return frozenset(re.findall(r"^([a-z][a-z-]*):", text, flags=re.MULTILINE))


def command_tree(application: typer.Typer) -> Any:
    """Return the tree of commands and options that Typer makes of an application."""
    return typer.main.get_command(application)


def _split(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in [*words, ";"]:
        if word not in OPERATORS:
            command.append(word)
            continue
        while command and ASSIGNMENT.match(command[0]):
            del command[0]
        if command:
            yield command
        command = []


def _walk(path: str, command: Any, words: list[str]) -> str | None:
    """Follow the words down the tree; return the first that leads nowhere."""
    remaining = iter(words)
    for word in remaining:
        if word.startswith("-"):
            option = _option(command, word.partition("=")[0])
            if option is None:
                return f"{path} has no option {word}"
            if not option.is_flag and "=" not in word:
                next(remaining, None)
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return f"{path} has no command {word}"
            path, command = f"{path} {word}", command.commands[word]
        elif not any(parameter.param_type_name == "argument" for parameter in command.params):
            return f"{path} takes no argument, got {word}"
    return None


def _option(command: Any, name: str) -> Any:
    parameters = command.get_params(command.make_context("", [], resilient_parsing=True))
    for parameter in parameters:
        if name in (*parameter.opts, *parameter.secondary_opts):
            return parameter
    return None
