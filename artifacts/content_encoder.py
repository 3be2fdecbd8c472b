"""What embeds the text of a product that nobody has seen: words, subwords, weights, components."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from artifacts.arrays import FloatMatrix, map_array
from artifacts.errors import ArtifactError, DataError
from artifacts.vocabulary import IDS_NAME, SLOTS_NAME, Vocabulary, write_vocabulary

FieldName: TypeAlias = Literal["title", "category_path", "description"]

ENCODER_FOLDER = "encoder"
"""Folder of the encoder inside the folder of its space; flat, so that it is linked as it lies."""

SETTINGS_NAME = "encoder.json"
ARRAYS = ("word_vectors", "word_weights", "subword_vectors", "components")
ENCODER_FILES = (SETTINGS_NAME, IDS_NAME, SLOTS_NAME, *(f"{name}.npy" for name in ARRAYS))
"""All files of an encoder."""


class EncodedField(BaseModel):
    """One field of a product's text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: FieldName
    """Which text of the product."""
    weight: float = Field(ge=0)
    """Weight of the field's unit vector in the sum."""
    max_tokens: int = Field(ge=1)
    """Tokens that are read; the rest is cut."""
    unknown_weight: float = Field(ge=0)
    """Weight of a word that is not among the encoder's words."""


class EncoderSettings(BaseModel):
    """Contents of `encoder.json`: how the arrays are to be combined (docs/adr/0008)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimensions: int = Field(ge=1)
    """d, the length of a vector."""
    min_n: int = Field(ge=1)
    """Characters of the shortest subword."""
    max_n: int = Field(ge=1)
    """Characters of the longest subword."""
    buckets: int = Field(ge=1)
    """b, the vectors that subwords share by hashing."""
    strip_accents: bool
    """Whether accents are dropped before the text is split."""
    fields: tuple[EncodedField, ...]
    """The f fields, in the order of `word_weights`."""


@dataclass(frozen=True, slots=True)
class ContentEncoderArrays:
    """An encoder as it lies on disk.

    Attributes:
        settings: how the arrays are combined.
        words: the w words that have vectors of their own.
        word_vectors: (w, d) float32, subwords included.
        word_weights: (f, w) float32, weight of each word in each field.
        subword_vectors: (b, d) float32; a word that is not among `words` is the mean of its
            subwords' vectors, as in fastText (Bojanowski et al. 2017, section 3.2).
        components: (c, d) float32, orthonormal directions that are taken out; c may be 0.
    """

    settings: EncoderSettings
    words: Vocabulary
    word_vectors: FloatMatrix
    word_weights: FloatMatrix
    subword_vectors: FloatMatrix
    components: FloatMatrix

    @classmethod
    def open(cls, folder: Path) -> "ContentEncoderArrays":
        """Map an encoder that `write_encoder` wrote.

        Raises:
            ArtifactError: a file is missing, unreadable, or disagrees with another one.
        """
        try:
            settings = EncoderSettings.model_validate_json((folder / SETTINGS_NAME).read_bytes())
        except (OSError, ValidationError) as error:
            raise ArtifactError(f"{folder}: the encoder cannot be opened: {error}") from error
        arrays = {name: map_array(folder / f"{name}.npy") for name in ARRAYS}
        words = Vocabulary.open(folder)
        wrong = _wrong_shape(settings, len(words), arrays)
        if wrong:
            raise ArtifactError(f"{folder}: {wrong}")
        return cls(settings, words, **arrays)


def holds_content_encoder(folder: Path) -> bool:
    """Tell whether `folder` holds an encoder of texts.

    Spaces of another kind may keep an encoder of their own in a folder of the same name, with
    settings of the same name: the vectors of words tell them apart.
    """
    return (folder / f"{ARRAYS[0]}.npy").is_file()


def write_encoder(
    folder: Path,
    settings: EncoderSettings,
    words: Sequence[str],
    arrays: dict[str, FloatMatrix],
) -> ContentEncoderArrays:
    """Write an encoder into `folder` and open it.

    Args:
        folder: an existing or new folder.
        settings: how the arrays are combined.
        words: distinct, not empty, as `artifacts.text` makes them.
        arrays: `word_vectors`, `word_weights`, `subword_vectors` and `components`, as
            `ContentEncoderArrays` describes them.

    Raises:
        DataError: an array is missing, of another shape or type, or not finite.
    """
    if set(arrays) != set(ARRAYS):
        raise DataError(f"encoder: expected the arrays {ARRAYS}, got {tuple(sorted(arrays))}")
    wrong = _wrong_shape(settings, len(words), arrays) or _not_finite(arrays)
    if wrong:
        raise DataError(f"encoder: {wrong}")
    write_vocabulary(folder, words)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    (folder / SETTINGS_NAME).write_text(settings.model_dump_json(indent=2), "utf-8")
    return ContentEncoderArrays.open(folder)


def _wrong_shape(
    settings: EncoderSettings, words: int, arrays: dict[str, FloatMatrix]
) -> str | None:
    d, f = settings.dimensions, len(settings.fields)
    components = arrays["components"].shape[:1]  # any number of them
    expected = {
        "word_vectors": (words, d),
        "word_weights": (f, words),
        "subword_vectors": (settings.buckets, d),
        "components": (*components, d),
    }
    for name, shape in expected.items():
        found: NDArray[np.generic] = arrays[name]
        if found.shape != shape or found.dtype != np.float32:
            return f"{name}: expected float32 {shape}, got {found.dtype} {found.shape}"
    return None


def _not_finite(arrays: dict[str, FloatMatrix]) -> str | None:
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            return f"{name}: expected finite numbers, got NaN or infinity"
    return None
