"""What passes between a supervisor and its workers."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from artifacts import errors
from artifacts.errors import ShelfmateError
from retrieval.config import RetrievalConfig
from server.config import ServerConfig
from server.place import Place


class Launch(BaseModel):
    """All that a worker has to know, told to it as its first line of input."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: ServerConfig
    """The table [server], with the port that all workers share."""
    retrieval: RetrievalConfig
    """The tables [serving.<name>]."""
    snapshots: Path
    """Folder in which snapshots lie."""
    place: Place
    """Which worker it is."""
    log_level: int = Field(ge=0)
    """Level of the supervisor's root logger."""


class Report(BaseModel):
    """How a worker's start ended: its only line of output."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int | None = None
    """Where it answers; None if it never will."""
    error: str = ""
    """Name of the error's class."""
    message: str = ""
    """What the error says."""

    @classmethod
    def of_error(cls, error: ShelfmateError) -> "Report":
        """Return the report of a worker that cannot start."""
        return cls(error=type(error).__name__, message=str(error))

    def failure(self) -> ShelfmateError | None:
        """Return the worker's error as it was raised there, or None if it is ready."""
        if self.port is not None:
            return None
        kind = getattr(errors, self.error)
        assert issubclass(kind, ShelfmateError), f"bug: {self.error} is no error of ours"
        error: ShelfmateError = kind(self.message)
        return error
