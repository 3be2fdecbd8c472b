"""Changes one table in the text of a shop file and leaves the rest as its author wrote it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

_HEADING = re.compile(r"^\s*\[")


def with_table(text: str, name: str, settings: BaseModel) -> str:
    """Return `text` with the table `name` replaced, or added at the end.

    Comments inside the old table go with it; sub-tables become inline ones. Settings at their
    defaults are written too, since defaults may change with a release; those that are None are left
    out, since TOML has no word for them.

    Args:
        text: a shop file in which the table, where there is one, stands under its own heading.
        name: dotted, such as `train.cf`.
        settings: what it shall say.
    """
    own = re.compile(rf"^\s*\[\s*{re.escape(name)}\s*(\.|\])")
    kept, inside = [], False
    for line in text.splitlines():
        if _HEADING.match(line):
            inside = own.match(line) is not None
        if not inside:
            kept.append(line)
    lines = [
        f"{key} = {_value(value)}" for key, value in _present(settings.model_dump(mode="json"))
    ]
    body = "\n".join(kept).rstrip()
    return "\n".join([body, "", f"[{name}]", *lines, ""])


def _present(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in table.items() if value is not None]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)} = {_value(one)}" for key, one in _present(value))
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    # Strings, numbers and truth values are written in TOML as in JSON.
    return json.dumps(value, ensure_ascii=False)
