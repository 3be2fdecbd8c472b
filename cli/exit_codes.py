"""Errors become exit codes and one line on standard error, in this one table."""

from artifacts.errors import (
    ArtifactError,
    BackendUnavailableError,
    ConfigError,
    DataError,
    GateError,
    ShelfmateError,
)

INTERRUPTED = 130
BUG = 70

_CODES: dict[type[ShelfmateError], int] = {
    DataError: 1,
    ArtifactError: 1,
    ConfigError: 2,
    BackendUnavailableError: 2,
    GateError: 3,
}
OTHER = 1


def exit_code(error: ShelfmateError) -> int:
    """Return the exit code of the most specific class that `error` belongs to."""
    return next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), OTHER)
