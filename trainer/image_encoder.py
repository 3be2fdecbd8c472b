"""What embeds a picture that nobody has seen: the network, and what reduces its features."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from artifacts.arrays import FloatMatrix
from artifacts.errors import ArtifactError
from trainer.inception import Inception
from trainer.picture_refusals import Refusal
from trainer.pictures import decode_picture
from trainer.projection import Projection

ENCODER_FOLDER = "encoder"
"""Folder of the encoder inside the folder of the space; flat."""
NETWORK_NAME = "network.weights.h5"
SETTINGS_NAME = "encoder.json"


class ImageEncoderSettings(BaseModel):
    """Contents of `encoder.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str = "inception_v3"
    """Architecture that the weights belong to."""
    size: int = Field(ge=75)
    """Pixels of either side that the network sees; pictures are padded with white to a square."""
    dimensions: int = Field(ge=1)
    """Length of a vector."""
    max_pixels: int = Field(ge=1)
    """Pixels of the largest picture that is decoded."""


@dataclass(frozen=True, slots=True)
class ImageEncoder:
    """Embeds pictures as the items of the space were embedded."""

    network: Inception
    projection: Projection
    max_pixels: int

    def encode(self, contents: Sequence[bytes]) -> tuple[FloatMatrix, list[Refusal | None]]:
        """Return (m, d) unit rows for m picture files, zero where a file is refused, and why."""
        vectors = np.zeros((len(contents), self.projection.components.shape[1]), dtype=np.float32)
        size, max_pixels = self.network.size, self.max_pixels
        pictures = [decode_picture(c, size=size, max_pixels=max_pixels) for c in contents]
        taken = [place for place, it in enumerate(pictures) if not isinstance(it, Refusal)]
        if taken:
            features = self.network.features(np.stack([pictures[place] for place in taken]))
            vectors[taken] = self.projection.apply(features)
        return vectors, [it if isinstance(it, Refusal) else None for it in pictures]

    def save(self, folder: Path) -> None:
        """Write the encoder into a new `folder`."""
        folder.mkdir()
        settings = ImageEncoderSettings(
            size=self.network.size,
            dimensions=self.projection.components.shape[1],
            max_pixels=self.max_pixels,
        )
        (folder / SETTINGS_NAME).write_text(settings.model_dump_json(indent=2), "utf-8")
        self.network.save(folder / NETWORK_NAME)
        self.projection.save(folder)

    @classmethod
    def open(cls, folder: Path, *, batch: int = 32) -> "ImageEncoder":
        """Open an encoder that `save` wrote.

        Raises:
            ArtifactError: a file is missing or damaged.
            BackendUnavailableError: the extra `images` is not installed.
        """
        try:
            raw = json.loads((folder / SETTINGS_NAME).read_bytes())
            settings = ImageEncoderSettings.model_validate(raw)
        except (OSError, ValueError, ValidationError) as error:
            raise ArtifactError(f"{folder}: no image encoder there: {error}") from error
        weights = str(folder / NETWORK_NAME)
        return cls(
            network=Inception.open(weights, size=settings.size, batch=batch, seed=0),
            projection=Projection.open(folder),
            max_pixels=settings.max_pixels,
        )
