"""From tokens to one vector an item; serving does the same, a text at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from artifacts.arrays import FloatMatrix, FloatVector
from artifacts.content_encoder import FieldName
from trainer.content_texts import CatalogTexts, FieldTokens

ITEMS_AT_A_TIME = 65_536
SMALLEST_REST = 1e-5
"""Share of a vector's length that must be left without the components: below it the direction is
rounding error. `retrieval.content_encoder` has the same rule."""

Matrix64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TextEncoding:
    """What turns the tokens of texts into vectors.

    Attributes:
        word_vectors: (w, d) float32 by word of the texts.
        word_weights: (w,) float32 for each field.
        field_weights: weight of each field.
    """

    word_vectors: FloatMatrix
    word_weights: Mapping[FieldName, FloatVector]
    field_weights: Mapping[FieldName, float]

    def sums(self, texts: CatalogTexts) -> Iterator[Matrix64]:
        """Yield (m, d) sums of unit field vectors for blocks of items, in order.

        A field's vector is the weighted sum of its words' vectors at length 1, so that the weight
        of a field does not depend on how long its texts are. Items without text are zero.
        """
        items = len(texts.lengths)
        wide = self.word_vectors.astype(np.float64)
        for start in range(0, items, ITEMS_AT_A_TIME):
            block = slice(start, min(start + ITEMS_AT_A_TIME, items))
            yield np.sum(
                [
                    self.field_weights[name]
                    * _unit(_weighted(field, block, self.word_weights[name]) @ wide)
                    for name, field in texts.fields.items()
                ],
                axis=0,
            )

    def principal_components(self, texts: CatalogTexts, count: int) -> FloatMatrix:
        """Return (c, d) float32, the directions that all items share most.

        They are the first right singular vectors of the sums, uncentred (Arora et al. 2017,
        algorithm 1); the largest coordinate of each is positive.

        Cost: O(n d^2 + d^3).
        """
        dimensions = self.word_vectors.shape[1]
        gram = np.zeros((dimensions, dimensions))
        for block in self.sums(texts) if count else ():
            gram += block.T @ block
        directions = np.linalg.eigh(gram)[1][:, ::-1][:, :count].T  # (c, d)
        largest = np.abs(directions).argmax(axis=1)[:, np.newaxis]
        signs = np.sign(np.take_along_axis(directions, largest, axis=1))
        return np.ascontiguousarray(directions * signs, dtype=np.float32)

    def vectors(self, texts: CatalogTexts, components: FloatMatrix) -> FloatMatrix:
        """Return (n, d) float32 unit vectors without the components; zero where nothing is left."""
        wide = components.astype(np.float64)
        blocks = [_without(block, wide) for block in self.sums(texts)]
        empty = np.empty((0, self.word_vectors.shape[1]), dtype=np.float32)
        return np.concatenate([empty, *blocks])


def _weighted(field: FieldTokens, block: slice, weights: FloatVector) -> csr_matrix:
    """Return (m, w), a row an item of the block: the weights of its words."""
    offsets = field.offsets[block.start : block.stop + 1]
    ids = field.ids[offsets[0] : offsets[-1]]
    shape = (len(offsets) - 1, len(weights))
    return csr_matrix((weights[ids].astype(np.float64), ids, offsets - offsets[0]), shape=shape)


def _unit(rows: Matrix64) -> Matrix64:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def _without(rows: Matrix64, components: Matrix64) -> FloatMatrix:
    rest = rows - (rows @ components.T) @ components
    kept = np.linalg.norm(rest, axis=1) > SMALLEST_REST * np.linalg.norm(rows, axis=1)
    return _unit(rest * kept[:, np.newaxis]).astype(np.float32)
