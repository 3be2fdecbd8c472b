"""Where lines of the log go, and what they look like."""

import json
import logging
import os
import re
from datetime import UTC, datetime

from server.observation.config import LogsConfig

STANDARD_ERROR = 2
FIELD = re.compile(r"(\w+)=%[-#0-9.]*\w")
"""A name and its value in the template of a message."""


class LineHandler(logging.Handler):
    """Writes each line to a file descriptor by itself, and carries on where that fails.

    A full disk or a reader that has gone costs lines and nothing else: no error is raised, and
    nothing is kept in a buffer that would fail again at the end of the process.

    Args:
        descriptor: what is written to.

    Attributes:
        lost: lines that could not be written.
    """

    def __init__(self, descriptor: int = STANDARD_ERROR) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        try:
            os.write(self._descriptor, f"{self.format(record)}\n".encode("utf-8", "replace"))
        except Exception:  # whatever is wrong with a line is no reason to fail a call
            self.lost += 1


class JsonFormatter(logging.Formatter):
    """One JSON object a line: what a message says as name=value becomes fields of their own.

    Args:
        worker: which worker speaks; None where there is only one.
    """

    def __init__(self, worker: int | None) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        if self._worker is not None:
            line["worker"] = self._worker
        line |= _event(record)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _event(record: logging.LogRecord) -> dict[str, object]:
    """Return the words of a message and its fields; the message whole where it is of another form."""
    names = FIELD.findall(str(record.msg))
    arguments = record.args if isinstance(record.args, tuple) else ()
    if len(names) != len(arguments) or not names:
        return {"event": record.getMessage()}
    words = FIELD.sub("", str(record.msg)).strip()
    return {"event": words, **dict(zip(names, arguments, strict=True))}


def set_up_logs(config: LogsConfig, *, level: int, worker: int | None = None) -> None:
    """Send all lines of this process to standard error."""
    handler = LineHandler()
    named = "" if worker is None else f"worker={worker} "
    handler.setFormatter(
        JsonFormatter(worker)
        if config.format == "json"
        else logging.Formatter(f"%(asctime)s %(levelname)s {named}%(name)s %(message)s")
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
