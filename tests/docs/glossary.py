"""The glossary's tables, and the names that a source file defines."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it.token import Token

from tests.docs.pages import ROOT, tokens

GLOSSARY = ROOT / "docs" / "glossary.md"
CODE_COLUMN = 2
PROTO_NAME = re.compile(r"\b(?:message|enum|service|rpc) (\w+)|(\w+) = \d+;")


@dataclass(frozen=True)
class Term:
    """A line of a table: a word, and the name that it has in the code."""

    word: str
    name: str
    file: Path


def terms() -> list[Term]:
    """Return every term, in order; a name without a link, or no name, is empty."""
    rows: list[list[Token]] = []
    for token, following in zip(tokens(GLOSSARY), tokens(GLOSSARY)[1:], strict=False):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "td_open":
            rows[-1].append(following)
    return [_term(cells) for cells in rows if cells]


def defined_names(file: Path) -> set[str]:
    """Return what a Python or .proto file defines; members also as `Owner.member`."""
    text = file.read_text("utf-8")
    if file.suffix == ".proto":
        return {name for pair in PROTO_NAME.findall(text) for name in pair if name}
    return set(_defined("", ast.parse(text).body))


def _term(cells: list[Token]) -> Term:
    inside = cells[CODE_COLUMN].children or []
    name = next((token.content for token in inside if token.type == "code_inline"), "")
    target = next((str(token.attrGet("href")) for token in inside if token.type == "link_open"), "")
    return Term(cells[0].content, name, (GLOSSARY.parent / target).resolve())


def _defined(owner: str, body: list[ast.stmt]) -> list[str]:
    names: list[str] = []
    for node in body:
        if isinstance(node, ast.ClassDef):
            names += [owner + node.name, *_defined(f"{node.name}.", node.body)]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(owner + node.name)
        elif isinstance(node, ast.AnnAssign):
            names.append(owner + ast.unparse(node.target))
        elif isinstance(node, ast.Assign):
            names += [owner + ast.unparse(target) for target in node.targets]
    return names
