"""Embeds the text of a product that the snapshot has never seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector
from artifacts.content_encoder import (
    ENCODER_FOLDER,
    ContentEncoderArrays,
    EncodedField,
    holds_content_encoder,
)
from artifacts.errors import ArtifactError
from artifacts.snapshot import Snapshot
from artifacts.text import tokenize
from retrieval.subword_kernels import subword_buckets

SMALLEST_REST = 1e-5
"""Share of a vector's length that must be left without the components; see
`trainer.content_vectors`, which has the same rule."""

Vector64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProductText:
    """What a caller tells of a product; None where nothing is known."""

    title: str | None = None
    category_path: str | None = None
    """Levels from the widest to the narrowest; what joins them does not matter."""
    description: str | None = None

    @property
    def by_field(self) -> Mapping[str, str | None]:
        """The texts by the names that the encoder's settings use."""
        return {
            "title": self.title,
            "category_path": self.category_path,
            "description": self.description,
        }


class ContentEncoder:
    """Gives a text the vector that training would have given it, but for rounding.

    Words that training met have vectors of their own; any other word is the mean of its subwords'
    vectors (Bojanowski et al. 2017). A field is the weighted sum of its words at length 1, the text
    is the weighted sum of its fields, and the components that all texts share are taken out (Arora
    et al. 2017). Nothing is changed by a call, so threads may share an encoder.
    """

    __slots__ = (
        "_components",
        "_settings",
        "_subword_vectors",
        "_word_vectors",
        "_word_weights",
        "_words",
    )

    def __init__(self, arrays: ContentEncoderArrays) -> None:
        self._settings = arrays.settings
        self._words = arrays.words
        # Plain views of what is mapped: slicing a memmap costs several times as much.
        self._word_vectors = np.asarray(arrays.word_vectors)
        self._word_weights = np.asarray(arrays.word_weights)
        self._subword_vectors = np.asarray(arrays.subword_vectors)
        self._components = np.asarray(arrays.components, dtype=np.float64)

    @classmethod
    def open(cls, folder: Path) -> "ContentEncoder":
        """Map an encoder and compile its kernel, so that no caller waits for it.

        Raises:
            ArtifactError: the encoder is missing or damaged.
        """
        encoder = cls(ContentEncoderArrays.open(folder))
        encoder._of_subwords("warm")
        return encoder

    @property
    def dim(self) -> int:
        """Dimensions of every vector."""
        return self._settings.dimensions

    def encode(self, text: ProductText) -> FloatVector | None:
        """Return a unit vector (d,) float32, or None if no field has a word to go by.

        Cost: O(characters + words * d); words that training did not meet cost some twenty
        subwords each.
        """
        texts = text.by_field
        total = np.zeros(self.dim)
        for place, field in enumerate(self._settings.fields):
            total += field.weight * _unit(self._field(place, field, texts[field.name]))
        rest = total - (self._components @ total) @ self._components
        if np.linalg.norm(rest) <= SMALLEST_REST * np.linalg.norm(total):
            return None
        return _unit(rest).astype(np.float32)

    def _field(self, place: int, field: EncodedField, text: str | None) -> Vector64:
        """Return the weighted sum of the words' vectors, (d,)."""
        tokens = tokenize(text, strip_accents=self._settings.strip_accents)
        total = np.zeros(self.dim)
        for token in tokens[: field.max_tokens]:
            row = self._words.row(token)
            if row < 0:
                total += field.unknown_weight * self._of_subwords(token)
            else:
                weight = float(self._word_weights[place, row])
                total += weight * self._word_vectors[row].astype(np.float64)
        return total

    def _of_subwords(self, word: str) -> Vector64:
        """Return the mean of the subwords' vectors, (d,); zero if there is no subword."""
        settings = self._settings
        encoded = np.frombuffer(f"<{word}>".encode(), dtype=np.uint8)
        buckets = subword_buckets(encoded, settings.min_n, settings.max_n, settings.buckets)
        if not len(buckets):
            return np.zeros(self.dim)
        mean: Vector64 = self._subword_vectors[buckets].mean(axis=0, dtype=np.float64)
        return mean


def open_encoder(snapshot: Snapshot, space: str) -> ContentEncoder | None:
    """Return the encoder of a space of the snapshot, or None if that space has none.

    Raises:
        ArtifactError: the encoder is damaged, or makes vectors of another length than the space's.
    """
    folder = snapshot.path / "spaces" / space / ENCODER_FOLDER
    if not holds_content_encoder(folder):
        return None
    encoder = ContentEncoder.open(folder)
    if encoder.dim != snapshot.spaces[space].dim:
        raise ArtifactError(
            f"{folder}: expected an encoder to {snapshot.spaces[space].dim} dimensions, as the "
            f"space has, got one to {encoder.dim}"
        )
    return encoder


def _unit(vector: Vector64) -> Vector64:
    length = np.linalg.norm(vector)
    return vector / length if length > 0 else vector
