"""What every table of settings of the trainer shares."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A table of settings: it never changes and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
