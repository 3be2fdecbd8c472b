"""Find the input files that the settings name, and tell how each is to be read."""

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from artifacts.errors import ConfigError
from artifacts.manifest import file_checksum
from trainer.config import EventsConfig, ItemsConfig

FileFormat: TypeAlias = Literal["parquet", "csv", "jsonl"]

SUFFIXES: dict[str, FileFormat] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class Source:
    """Files of one format that are read as one table.

    Attributes:
        name: table of the settings that it comes from, `events` or `items`.
        files: existing files, in the order of the settings, each glob sorted.
        format: how they are read.
    """

    name: str
    files: tuple[Path, ...]
    format: FileFormat

    @classmethod
    def of(cls, name: str, config: EventsConfig | ItemsConfig) -> "Source":
        """Resolve the files of `[prepare.<name>]`.

        Raises:
            ConfigError: a path or glob matches no file, or the formats cannot be told or differ.
        """
        files = tuple(file for path in config.path for file in _matches(name, path))
        if config.format != "auto":
            return cls(name, files, config.format)
        formats = {_format(name, file) for file in files}
        if len(formats) > 1:
            raise ConfigError(f"prepare.{name}.path: files of several formats: {sorted(formats)}")
        return cls(name, files, formats.pop())

    def fingerprints(self) -> dict[str, str]:
        """Return the XXH3-128 of every file by role, place and name. Cost: one sequential read.

        Folders are left out: files that moved are the same input.
        """
        return {
            f"{self.name}/{place}/{file.name}": file_checksum(file)
            for place, file in enumerate(self.files)
        }


def _matches(name: str, path: str) -> list[Path]:
    found = [Path(path)] if Path(path).is_file() else sorted(map(Path, glob.glob(path)))  # noqa: PTH207 - patterns may be absolute
    files = [file for file in found if file.is_file()]
    if not files:
        raise ConfigError(f"prepare.{name}.path: no file matches {path!r}")
    return files


def _format(name: str, file: Path) -> FileFormat:
    stem = file.with_suffix("") if file.suffix in COMPRESSED else file
    if stem.suffix not in SUFFIXES:
        raise ConfigError(
            f"prepare.{name}.format: cannot be told from {file.name!r}; set it to one of "
            f"{sorted(set(SUFFIXES.values()))}"
        )
    return SUFFIXES[stem.suffix]
