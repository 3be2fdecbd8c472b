"""Vectors of what products are: brands, categories, price bands; memory-mapped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector, check_matrix, map_array
from artifacts.columns import StringColumn, open_columns, write_columns
from artifacts.errors import ArtifactError, DataError
from artifacts.vocabulary import Vocabulary, write_vocabulary

METADATA_FOLDER = "metadata"
"""Folder of the table inside the folder of its space."""

TOKENS_NAME = "tokens.arrow"
ITEMS_NAME = "items.npy"
VECTORS_NAME = "vectors.npy"
OUTPUTS_NAME = "outputs.npy"


def token_id(column: str, value: str) -> str:
    """Return the id of a metadata token, such as `brand=Private`."""
    return f"{column}={value}"


@dataclass(frozen=True, slots=True)
class MetadataTable:
    """The m metadata tokens of a space and their vectors, in the coordinates of its products.

    So a token is a query like any product: its input vector asks for products like those that carry
    it by cosine with their input vectors, and for what goes with these by inner product with
    output vectors.

    Attributes:
        tokens: ids `column=value` and their rows.
        columns: column of every token.
        values: what stands there.
        items: (m,) int32, items with a vector that carry the token.
        vectors: (m, d) float32 input vectors.
        outputs: (m, d) float32 output vectors.
    """

    tokens: Vocabulary
    columns: StringColumn
    values: StringColumn
    items: IntVector
    vectors: FloatMatrix
    outputs: FloatMatrix

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    def open(cls, folder: Path) -> "MetadataTable":
        """Map a table that `write_metadata` wrote.

        Raises:
            ArtifactError: a file is missing or unreadable, or they disagree.
        """
        names = open_columns(folder / TOKENS_NAME)
        items, vectors, outputs = (
            map_array(folder / name) for name in (ITEMS_NAME, VECTORS_NAME, OUTPUTS_NAME)
        )
        tokens = Vocabulary.open(folder)
        lengths = {len(part) for part in (tokens, names["column"], items, vectors, outputs)}
        if len(lengths) != 1:
            raise ArtifactError(f"{folder}: files of metadata differ in length: {sorted(lengths)}")
        return cls(tokens, names["column"], names["value"], items, vectors, outputs)


def write_metadata(
    folder: Path,
    tokens: Sequence[tuple[str, str]],
    *,
    items: IntVector,
    vectors: FloatMatrix,
    outputs: FloatMatrix,
) -> MetadataTable:
    """Write metadata tokens, given as (column, value), and open the result.

    Raises:
        DataError: a token appears twice, a vector is not finite, or lengths differ.
    """
    check_matrix(vectors, name="metadata, vectors")
    check_matrix(outputs, name="metadata, outputs", dim=vectors.shape[1])
    lengths = {len(tokens), len(items), len(vectors), len(outputs)}
    if len(lengths) != 1:
        raise DataError(f"metadata: expected arrays of one length, got {sorted(lengths)}")
    write_vocabulary(folder, [token_id(column, value) for column, value in tokens])
    columns, values = zip(*tokens, strict=True) if tokens else ((), ())
    write_columns(folder / TOKENS_NAME, {"column": columns, "value": values})
    np.save(folder / ITEMS_NAME, items.astype(np.int32))
    np.save(folder / VECTORS_NAME, vectors)
    np.save(folder / OUTPUTS_NAME, outputs)
    return MetadataTable.open(folder)
