import pytest

from benchmarks.cli import app as bench_app
from cli.main import app as shelfmate_app
from tests.docs.command_lines import command_lines, command_tree, problem
from tests.docs.pages import GENERATED, blocks, pages

SHELL = {"sh", "bash", "console"}
PROGRAMS = {"shelfmate": command_tree(shelfmate_app), "bench": command_tree(bench_app)}
# The generated reference shows usage lines such as `[OPTIONS]`, which nobody can run.
BLOCKS = [
    block
    for page in pages()
    if page != GENERATED
    for block in blocks(page)
    if block.info and block.info[0] in SHELL
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_commands_shown_exist(block):
    commands = command_lines(block.text, prompt=block.info[0] == "console")
    complaints = [problem(words, PROGRAMS) for words in commands]
    assert [complaint for complaint in complaints if complaint] == []
