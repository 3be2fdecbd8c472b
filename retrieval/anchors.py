"""Who lends to whom: the popular items of a snapshot whose lists others may borrow."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from artifacts.anchors import AnchorTable
from artifacts.arrays import FloatVector, IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.neighbors import PAD_ROW
from artifacts.snapshot import AnchorsEntry, Snapshot
from indexer.open import open_anchor_index
from indexer.space_index import SpaceIndex
from retrieval.answer import UnusedAnchor
from retrieval.content_encoder import ContentEncoder, ProductText, open_encoder

LEAST_LIKENESS = 1e-6
"""Cosine at or below which two contents share nothing, whatever the minimum similarity says."""


class Lending(NamedTuple):
    """The anchors that an item borrows from, most alike first; none where all are too far."""

    rows: IntVector
    similarities: FloatVector
    unused: UnusedAnchor | None = None
    """Set where none is alike enough."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of one snapshot.

    Attributes:
        entry: what the snapshot says of them.
        table: of every item of the vocabulary.
        content: the space by which items are alike.
        index: the popular items, searched for products that the table does not have; None where no
            item is popular.
        encoder: places new products in the space; None where it has none.
        categories: name of each category code.
        category_codes: code of the top category of each row.
    """

    entry: AnchorsEntry
    table: AnchorTable
    content: EmbeddingTable
    index: SpaceIndex | None
    encoder: ContentEncoder | None
    categories: tuple[str, ...]
    category_codes: IntVector

    def knows(self, row: int) -> bool:
        """Tell whether an item has content, so that the table speaks of it. Cost: O(log n)."""
        return bool(self.content.positions(np.array([row], dtype=np.int32))[0] >= 0)

    def of_item(self, row: int) -> Lending:
        """Return the anchors of an item that has content. Cost: O(anchors)."""
        rows, similarities = self.table.of(row)
        return self._judged(rows, similarities, int(self.category_codes[row]))

    def of_text(self, text: ProductText, category: int | None) -> Lending | None:
        """Return the anchors of a product that the snapshot does not know.

        Args:
            text: what is known of it.
            category: code of its top category; None looks in all of them.

        Returns:
            None where there is no encoder, or the text has nothing to go by.

        Cost: one encoding and one search among the popular items.
        """
        vector = self.encoder.encode(text) if self.encoder else None
        if vector is None:
            return None
        empty = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)
        if self.index is None:
            return self._judged(*empty, category)
        wanted = None if category is None or self.index.is_whole else self.categories[category]
        if wanted is not None and wanted not in self.index.categories:
            return self._judged(*empty, category)
        chosen = None if wanted is None else (wanted,)
        found = self.index.search(vector[None, :], self.entry.anchors, categories=chosen)
        known = int(np.count_nonzero(found.rows[0] != PAD_ROW))
        return self._judged(found.rows[0, :known], found.scores[0, :known], category)

    def _judged(self, rows: IntVector, similarities: FloatVector, category: int | None) -> Lending:
        """Leave out the anchors that are too far, by the measure of the borrower's category."""
        if category is None and len(rows):
            category = int(self.category_codes[rows[0]])
        least = self._least(category)
        near = (similarities >= least) & (similarities > LEAST_LIKENESS)
        if near.any():
            return Lending(rows[near], similarities[near])
        unused = UnusedAnchor(least)
        if len(rows):
            unused = UnusedAnchor(least, int(rows[0]), float(similarities[0]))
        return Lending(rows[:0], similarities[:0], unused)

    def _least(self, category: int | None) -> float:
        """Return the minimum similarity of a category, the shop's lowest where it is unknown."""
        thresholds = self.entry.thresholds
        if category is None:
            return min((one.min_similarity for one in thresholds.values()), default=0.0)
        return thresholds[self.categories[category]].min_similarity


def open_anchors(snapshot: Snapshot) -> Anchors | None:
    """Open the anchors of a snapshot, or None if it has none.

    Raises:
        ArtifactError: an index or the encoder cannot be read.
    """
    entry = snapshot.contents.anchors
    if entry is None or snapshot.anchors is None:
        return None
    return Anchors(
        entry=entry,
        table=snapshot.anchors,
        content=snapshot.spaces[entry.space],
        index=open_anchor_index(snapshot),
        encoder=open_encoder(snapshot, entry.space),
        categories=snapshot.catalog.categories,
        category_codes=np.asarray(snapshot.catalog.category_codes),
    )
