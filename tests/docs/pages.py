"""What the tests of this folder read out of the project's Markdown pages."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "docs" / "cli.md"


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    page: Path
    line: int
    info: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Return every page that people read, sorted."""
    named = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*named, ROOT / "proto" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    return [
        Block(page, (token.map or [0])[0] + 1, tuple(token.info.split()), token.content)
        for token in tokens(page)
        if token.type == "fence"
    ]


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures, in order."""
    inline = [child for token in tokens(page) for child in token.children or []]
    targets = [child.attrGet("href") or child.attrGet("src") for child in inline]
    return [str(target) for target in targets if target]


def anchors(page: Path) -> set[str]:
    """Return the names that a link may use after `#`, made as GitHub makes them."""
    parsed = tokens(page)
    headings = [
        parsed[place + 1].content
        for place, token in enumerate(parsed)
        if token.type == "heading_open"
    ]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def tokens(page: Path) -> list[Token]:
    """Return a page as its parser sees it."""
    return MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))
