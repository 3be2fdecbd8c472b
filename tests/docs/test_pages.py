import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from benchmarks.cli import app as bench_app
from cli.main import app as shelfmate_app
from tests.docs.command_lines import command_lines, command_tree, problem
from tests.docs.pages import GENERATED, ROOT, Block, anchors, blocks, links, pages

PAGES = pages()
SHELL = {"sh", "bash", "console"}
CODE = [block for page in PAGES for block in blocks(page) if block.info]
PROGRAMS = {"shelfmate": command_tree(shelfmate_app), "bench": command_tree(bench_app)}


def _of(*languages: str) -> list[Block]:
    # The generated reference shows usage lines such as `[OPTIONS]`, which nobody can run.
    return [block for block in CODE if block.info[0] in languages and block.page != GENERATED]


@pytest.mark.parametrize("block", _of(*SHELL), ids=lambda block: block.place)
def test_commands_shown_exist(block):
    commands = command_lines(block.text, prompt=block.info[0] == "console")
    complaints = [problem(words, PROGRAMS) for words in commands]
    assert [complaint for complaint in complaints if complaint] == []


@pytest.mark.parametrize("block", _of("python"), ids=lambda block: block.place)
def test_python_shown_compiles_and_runs_where_it_says_so(block, tmp_path):
    compile(block.text, block.place, "exec")
    if "run" in block.info[1:]:
        command = [sys.executable, "-W", "error", "-c", block.text]
        finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(page):
    assert [link for link in links(page) if _is_broken(page, link)] == []


def _is_broken(page: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return True
    return bool(parts.fragment) and parts.fragment not in anchors(target)
