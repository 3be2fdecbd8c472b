import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import ROOT, anchors, blocks, links, pages

PAGES = pages()
PYTHON = [
    block for page in PAGES for block in blocks(page) if block.info and block.info[0] == "python"
]


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.place)
def test_python_shown_compiles_and_runs_where_it_says_so(block, tmp_path):
    compile(block.text, block.place, "exec")
    if "run" in block.info[1:]:
        command = [sys.executable, "-W", "error", "-c", block.text]
        finished = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False
        )
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
