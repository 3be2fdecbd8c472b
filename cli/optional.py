"""Says which extra a command needs where one of its libraries is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from artifacts.errors import BackendUnavailableError


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Guard imports that only the extra `name` makes possible.

    Raises:
        BackendUnavailableError: a library is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise BackendUnavailableError(
            f"this command needs {error.name}, which the extra `{name}` brings: "
            f"install shelfmate[{name}]"
        ) from error
