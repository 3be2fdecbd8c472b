"""Where a worker stands among the workers of its host."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Place(BaseModel):
    """A worker's place; a server without a supervisor has the only one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int = Field(default=0, ge=0)
    """Which of the workers it is, from 0; kept by whoever is started after its death."""
    count: int = Field(default=1, ge=1)
    """Workers of the host."""
    run_dir: Path | None = None
    """Folder that the workers of the host share while they run, made by their supervisor; None
    without one."""

    @property
    def is_shared(self) -> bool:
        """Whether other workers listen on the same port."""
        return self.run_dir is not None


ALONE = Place()
