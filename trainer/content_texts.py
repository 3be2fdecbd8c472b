"""The texts of a catalogue as numbered tokens, a field at a time."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.catalog import Catalog
from artifacts.content_encoder import FieldName
from artifacts.text import tokenize
from trainer.content_config import ContentConfig, FieldConfig


@dataclass(frozen=True, slots=True)
class FieldTokens:
    """One field of all n items.

    Attributes:
        ids: (t,) int32 into the words, item after item.
        offsets: (n + 1,) int64; item i owns `ids[offsets[i]:offsets[i + 1]]`.
        cut: (n,) bool, the items whose field was longer than is read.
    """

    ids: IntVector
    offsets: NDArray[np.int64]
    cut: NDArray[np.bool_]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) tokens of each item."""
        return self.offsets[1:] - self.offsets[:-1]

    def of(self, item: int) -> IntVector:
        """Return the tokens of one item."""
        return self.ids[self.offsets[item] : self.offsets[item + 1]]


@dataclass(frozen=True, slots=True)
class CatalogTexts:
    """The fields that have a weight.

    Attributes:
        words: distinct tokens of all fields, in order of first appearance.
        fields: by name, in the order of the settings.
    """

    words: Sequence[str]
    fields: Mapping[FieldName, FieldTokens]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) tokens of each item over all fields."""
        lengths = [field.lengths for field in self.fields.values()]
        total: NDArray[np.int64] = np.stack(lengths).sum(axis=0)
        return total

    @property
    def texts(self) -> int:
        """Items that have any text."""
        return int(np.count_nonzero(self.lengths))

    @property
    def word_counts(self) -> NDArray[np.int64]:
        """(w,) occurrences of each word over all fields."""
        ids = np.concatenate([field.ids for field in self.fields.values()])
        return np.bincount(ids, minlength=len(self.words)).astype(np.int64)

    def write_corpus(self, path: Path) -> None:
        """Write a line for every item with text: its fields in order, tokens parted by spaces.

        Fields share a line, so that the words of a title learn from the category and the category
        from its titles.
        """
        with path.open("w", encoding="utf-8") as file:
            for item in np.flatnonzero(self.lengths):
                ids = (token for field in self.fields.values() for token in field.of(int(item)))
                file.write(" ".join(self.words[token] for token in ids) + "\n")


def weighted_fields(config: ContentConfig) -> dict[FieldName, FieldConfig]:
    """Return the fields that are read, by name."""
    fields: dict[FieldName, FieldConfig] = {
        "title": config.title,
        "category_path": config.category_path,
        "description": config.description,
    }
    return {name: field for name, field in fields.items() if field.weight > 0}


def read_texts(catalog: Catalog, config: ContentConfig) -> CatalogTexts:
    """Split the texts of a catalogue into tokens.

    Cost: O(characters); 4 bytes a token, 17 bytes an item and field, and the distinct words.
    """
    columns: dict[FieldName, Iterable[str | None]] = {
        "title": catalog.titles,
        "category_path": catalog.category_paths,
        "description": catalog.descriptions,
    }
    numbers: dict[str, int] = {}
    fields = {
        name: _read_field(columns[name], field.max_tokens, config.strip_accents, numbers)
        for name, field in weighted_fields(config).items()
    }
    return CatalogTexts(list(numbers), fields)


def _read_field(
    texts: Iterable[str | None], max_tokens: int, strip_accents: bool, numbers: dict[str, int]
) -> FieldTokens:
    """Number the tokens of one field; new ones enter `numbers`."""
    ids, offsets, cut = array("i"), array("q", [0]), array("b")
    for text in texts:
        tokens = tokenize(text, strip_accents=strip_accents)
        ids.extend(numbers.setdefault(token, len(numbers)) for token in tokens[:max_tokens])
        offsets.append(len(ids))
        cut.append(len(tokens) > max_tokens)
    return FieldTokens(
        ids=np.array(ids, dtype=np.int32),
        offsets=np.array(offsets, dtype=np.int64),
        cut=np.array(cut, dtype=np.bool_),
    )
