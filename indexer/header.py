"""`index.json`: what the arrays of an index folder are."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from artifacts.errors import ArtifactError
from artifacts.folders import write_file
from indexer.config import BackendConfig
from indexer.index import Metric

HEADER_NAME = "index.json"
INDEX_FORMAT = 1


class IndexHeader(BaseModel):
    """Contents of `index.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = INDEX_FORMAT
    """Version of the layout of the folder."""
    metric: Metric
    """What the index scores by."""
    dim: PositiveInt
    """Dimensions of the vectors."""
    n: PositiveInt
    """Number of vectors."""
    config: BackendConfig
    """Backend and effective settings; its `kind` says how to read the other files."""

    def save(self, folder: Path) -> None:
        """Write `index.json` into `folder`."""
        write_file(folder / HEADER_NAME, self.model_dump_json(indent=2).encode())

    @classmethod
    def open(cls, folder: Path) -> "IndexHeader":
        """Read `index.json` of `folder`.

        Raises:
            ArtifactError: it is missing, malformed, or of a format that this release cannot read.
        """
        path = folder / HEADER_NAME
        try:
            header = cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ArtifactError(f"{path}: not the header of an index: {error}") from error
        if header.format != INDEX_FORMAT:
            raise ArtifactError(
                f"{path}: index format {header.format} is not supported, this release reads "
                f"format {INDEX_FORMAT}"
            )
        return header
