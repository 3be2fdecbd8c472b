"""Item attributes by row, memory-mapped."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector, map_array
from artifacts.columns import StringColumn, open_columns, write_columns
from artifacts.errors import ArtifactError, DataError

UNCATEGORISED = "(uncategorised)"
"""Top category of items that have none; a category like any other from there on."""

PATH_SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class ItemAttributes:
    """What answers tell of one item; None where nothing is known.

    The description is not among them: it is long, and only text encoders read it.
    """

    title: str | None
    category_path: str | None
    top_category: str
    brand: str | None
    price: float | None
    popularity: int


@dataclass(frozen=True, slots=True)
class Catalog:
    """Attributes of the n items of a vocabulary, by row.

    Attributes:
        titles: null where unknown.
        category_paths: levels joined by ` > `, null where unknown.
        brands: null where unknown.
        descriptions: null where unknown.
        categories: names of the top categories, sorted; `(uncategorised)` among them if needed.
        category_codes: (n,) int32 into `categories`.
        prices: (n,) float32, in the shop's currency, NaN where unknown.
        popularity: (n,) int32, training sessions that hold the item.
    """

    titles: StringColumn
    category_paths: StringColumn
    brands: StringColumn
    descriptions: StringColumn
    categories: tuple[str, ...]
    category_codes: IntVector
    prices: FloatVector
    popularity: IntVector

    def __len__(self) -> int:
        return len(self.category_codes)

    def category(self, row: int) -> str:
        """Return the top category of `row`."""
        return self.categories[int(self.category_codes[row])]

    def attributes(self, row: int) -> ItemAttributes:
        """Return all attributes of `row`."""
        price = float(self.prices[row])
        return ItemAttributes(
            title=self.titles[row],
            category_path=self.category_paths[row],
            top_category=self.category(row),
            brand=self.brands[row],
            price=None if np.isnan(price) else price,
            popularity=int(self.popularity[row]),
        )

    def rows_in(self, category: str) -> NDArray[np.int32]:
        """Return the rows of a top category, ascending; empty if the category is unknown."""
        if category not in self.categories:
            return np.empty(0, dtype=np.int32)
        code = self.categories.index(category)
        return np.flatnonzero(self.category_codes == code).astype(np.int32)

    @classmethod
    def open(cls, folder: Path) -> "Catalog":
        """Map a catalogue that `write_catalog` wrote.

        Raises:
            ArtifactError: a file is missing, unreadable or of another length than the others.
        """
        strings = open_columns(folder / "strings.arrow")
        try:
            categories = tuple(json.loads((folder / "categories.json").read_text("utf-8")))
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{folder}: categories.json cannot be read: {error}") from error
        codes, prices, popularity = (
            map_array(folder / f"{name}.npy") for name in ("category_codes", "prices", "popularity")
        )
        lengths = {len(codes), len(prices), len(popularity), len(strings["title"])}
        if len(lengths) != 1:
            raise ArtifactError(f"{folder}: catalogue columns differ in length: {sorted(lengths)}")
        return cls(
            titles=strings["title"],
            category_paths=strings["category_path"],
            brands=strings["brand"],
            descriptions=strings["description"],
            categories=categories,
            category_codes=codes,
            prices=prices,
            popularity=popularity,
        )


def write_catalog(  # noqa: PLR0913 - the columns of a catalogue
    folder: Path,
    *,
    titles: Sequence[str | None],
    category_paths: Sequence[str | None],
    top_categories: Sequence[str | None],
    brands: Sequence[str | None],
    prices: FloatVector,
    popularity: IntVector,
    descriptions: Sequence[str | None] | None = None,
) -> Catalog:
    """Write the attributes of n items in row order, and open the result.

    Args:
        folder: an existing or new folder.
        titles: strings or None.
        category_paths: strings or None, levels joined by ` > `.
        brands: strings or None.
        top_categories: strings; None or empty puts the item into `(uncategorised)`.
        prices: (n,) float32, NaN where unknown.
        popularity: (n,) int32.
        descriptions: strings or None; without them all are unknown.

    Raises:
        DataError: the columns differ in length.
    """
    descriptions = [None] * len(titles) if descriptions is None else descriptions
    columns = (titles, category_paths, top_categories, brands, prices, popularity, descriptions)
    lengths = {len(column) for column in columns}
    if len(lengths) != 1:
        raise DataError(f"catalogue: expected columns of one length, got {sorted(lengths)}")
    folder.mkdir(parents=True, exist_ok=True)
    named = [category or UNCATEGORISED for category in top_categories]
    categories = sorted(set(named))
    code_of = {category: code for code, category in enumerate(categories)}
    write_columns(
        folder / "strings.arrow",
        {
            "title": titles,
            "category_path": category_paths,
            "brand": brands,
            "description": descriptions,
        },
    )
    (folder / "categories.json").write_text(json.dumps(categories, ensure_ascii=False), "utf-8")
    codes = np.fromiter((code_of[name] for name in named), dtype=np.int32, count=len(named))
    np.save(folder / "category_codes.npy", codes)
    np.save(folder / "prices.npy", np.asarray(prices, dtype=np.float32))
    np.save(folder / "popularity.npy", np.asarray(popularity, dtype=np.int32))
    return Catalog.open(folder)
