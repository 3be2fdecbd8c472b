"""Calls of a JSON service, one after the other."""

import json
from http.client import HTTPConnection
from typing import Any

from benchmarks.compare.task import FloatMatrix

TIMEOUT_S = 600.0


class HttpCalls:
    """Keeps one connection to a service on this machine.

    Args:
        port: of the service.
    """

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Return what the service answers.

        Raises:
            ConnectionError: it does not answer, or not with success.
        """
        self._connection.request(method, path, body, {"content-type": "application/json"})
        response = self._connection.getresponse()
        text = response.read()
        if response.status >= 400:
            raise ConnectionError(f"{method} {path}: {response.status} {text[:500]!r}")
        return json.loads(text) if text else None


def numbers_text(vectors: FloatMatrix) -> str:
    """Return vectors as JSON, no longer than single precision needs."""
    rows = (",".join(f"{number:.9g}" for number in vector.tolist()) for vector in vectors)
    return "[" + ",".join(f"[{row}]" for row in rows) + "]"
