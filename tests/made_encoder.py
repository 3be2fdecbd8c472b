"""A small encoder of texts, made rather than trained."""

from pathlib import Path

import numpy as np

from artifacts.content_encoder import EncodedField, EncoderSettings, FieldName, write_encoder

WORDS = ("title", "shelf", "bakery", "dairy", "produce")
BUCKETS = 64
FIELDS: tuple[FieldName, ...] = ("title", "category_path", "description")


def write_made_encoder(folder: Path, dimensions: int) -> None:
    """Write an encoder whose vectors are drawn by a seed, one component taken out."""
    rng = np.random.default_rng(7)
    settings = EncoderSettings(
        dimensions=dimensions,
        min_n=3,
        max_n=5,
        buckets=BUCKETS,
        strip_accents=False,
        fields=tuple(
            EncodedField(name=name, weight=1, max_tokens=16, unknown_weight=2) for name in FIELDS
        ),
    )
    arrays = {
        "word_vectors": rng.normal(size=(len(WORDS), dimensions)),
        "word_weights": rng.uniform(1, 2, size=(len(FIELDS), len(WORDS))),
        "subword_vectors": rng.normal(size=(BUCKETS, dimensions)),
        "components": np.eye(1, dimensions),
    }
    narrow = {name: array.astype(np.float32) for name, array in arrays.items()}
    write_encoder(folder, settings, WORDS, narrow)
