"""The ranker: a model that orders candidates, and the schema of the features that it reads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from artifacts.errors import ArtifactError
from artifacts.manifest import fingerprint, read_manifest, verify

MODEL_NAME = "model.txt"
SCHEMA_NAME = "schema.json"
METRICS_NAME = "metrics.json"

MAX_FEATURES = 512


class MissingPolicy(StrEnum):
    """What the model sees where a feature has no value."""

    ABSENT = "absent"  # NaN: the trees have a branch for it
    ZERO = "zero"  # 0: nothing was counted


class FeatureKind(StrEnum):
    """What the numbers of a feature are."""

    REAL = "real"
    COUNT = "count"  # not negative
    FLAG = "flag"  # 0 or 1


class FeatureSpec(BaseModel):
    """One column of what a ranker reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.\-]+$")
    """Letters, digits, `_`, `.` and `-`, as LightGBM's model files take them."""
    kind: FeatureKind = FeatureKind.REAL
    missing: MissingPolicy = MissingPolicy.ABSENT
    """What stands where there is no value."""
    monotone: Literal[-1, 0, 1] = 0
    """1 where more can never be worse, -1 where it can never be better, 0 where the data decide."""
    from_caller: bool = False
    """Whether the caller sends it instead of having it computed."""


class ListSettings(BaseModel):
    """How lists are gathered: a part of the schema, since other lists have other ranks and scores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    depth: int = Field(default=100, ge=1, le=1_000)
    """Most items of one list."""
    visits: int = Field(default=10, ge=1, le=100)
    """Visited items whose lists are looked at, the most recent ones."""
    half_life: float | None = Field(default=3.0, gt=0, allow_inf_nan=False)
    """Visits before the last one at which one counts half; None: all count alike, as in baskets
    without an order."""
    revisits: bool = False
    """Whether items visited before the last one are candidates, too: where shoppers come back to what
    they compared. What a recommendation is made of never holds them."""
    sample: int = Field(default=500, ge=1)
    """Sessions that session-kNN compares, the most recent ones."""
    neighbors: int = Field(default=100, ge=1)
    """Sessions that vote in session-kNN."""


class FeatureSchema(BaseModel):
    """What a ranker reads, column by column; stored beside the model as `schema.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1)
    """Version of the code that computes the features; a number means other bytes."""
    features: tuple[FeatureSpec, ...] = Field(min_length=1, max_length=MAX_FEATURES)
    """Columns, in order."""
    sources: tuple[str, ...]
    """Lists of candidates that are gathered for every context, in order."""
    lists: ListSettings = ListSettings()
    """How they are gathered."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        """Refuse names that come twice."""
        for what, names in (("feature", self.names), ("source", self.sources)):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"expected each {what} once, got {min(twice)!r} twice")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.features)

    @property
    def caller_names(self) -> tuple[str, ...]:
        """Names of the columns that the caller sends, in order."""
        return tuple(feature.name for feature in self.features if feature.from_caller)

    @property
    def fingerprint(self) -> str:
        """Short name of all of it: two schemas with one name are equal."""
        return fingerprint(self.model_dump(mode="json"))


@dataclass(frozen=True, slots=True)
class Ranker:
    """A trained ranker on disk.

    Attributes:
        schema: what the model reads.
        model_path: `model.txt`, in LightGBM's text format.
        lineage: id, settings and inputs of what made it.
    """

    schema: FeatureSchema
    model_path: Path
    lineage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def metrics_path(self) -> Path:
        """`metrics.json`, what the trainer measured."""
        return self.model_path.with_name(METRICS_NAME)

    @classmethod
    def open(cls, folder: Path) -> "Ranker":
        """Open a sealed ranker, after comparing every file with its checksum.

        Raises:
            ArtifactError: it is not sealed, damaged, or its schema cannot be read.
        """
        manifest = read_manifest(folder, "ranker")
        verify(folder, manifest)
        lineage = {"id": manifest.id, "config": manifest.config, "inputs": manifest.inputs}
        return cls.map(folder, lineage)

    @classmethod
    def map(cls, folder: Path, lineage: Mapping[str, Any] | None = None) -> "Ranker":
        """Open a ranker that is sealed by itself or as a part of something else.

        Raises:
            ArtifactError: a file is missing, or the schema cannot be read.
        """
        model = folder / MODEL_NAME
        if not model.is_file():
            raise ArtifactError(f"{folder}: expected a ranker, found no {MODEL_NAME}")
        return cls(read_schema(folder), model, lineage or {})


def read_schema(folder: Path) -> FeatureSchema:
    """Read `schema.json` of a ranker or of a ranking table.

    Raises:
        ArtifactError: the file is missing, or is no schema.
    """
    path = folder / SCHEMA_NAME
    try:
        return FeatureSchema.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ArtifactError(f"{path}: the schema cannot be read: {error}") from error


def write_schema(folder: Path, schema: FeatureSchema) -> None:
    """Write `schema.json` into an existing folder."""
    text = json.dumps(schema.model_dump(mode="json"), indent=2)
    (folder / SCHEMA_NAME).write_text(text, "utf-8")
