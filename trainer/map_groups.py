"""Which points of a map share a mark, and what the marks are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.catalog import Catalog

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
"""Told apart by the colour-blind as well (Okabe and Ito 2008), yellow and black left out."""

SHAPES = ("circle", "diamond", "triangle-up", "square")
OTHERS = "other categories"
EVERYTHING = "items"
OTHERS_COLOUR = "#bbbbbb"


@dataclass(frozen=True, slots=True)
class MapGroup:
    """Points with one mark.

    Attributes:
        name: top category.
        colour: as `#rrggbb`.
        shape: one of `SHAPES`.
        points: (p,) positions in the layout, ascending.
    """

    name: str
    colour: str
    shape: str
    points: NDArray[np.intp]


def group_points(rows: IntVector, catalog: Catalog | None, largest: int) -> list[MapGroup]:
    """Group the points of a map by top category.

    Args:
        rows: (m,) vocabulary rows of the points.
        catalog: where the categories stand; None puts all points into one group.
        largest: categories with a mark of their own, at most `len(COLOURS) * len(SHAPES)`.

    Returns:
        The smaller categories together, if there are any, then the largest, falling in size, ties
        by name: drawn in this order, nothing small is hidden below others.
    """
    if catalog is None:
        return [MapGroup(EVERYTHING, COLOURS[0], SHAPES[0], np.arange(len(rows)))]
    codes = np.asarray(catalog.category_codes)[rows]
    sizes = np.bincount(codes, minlength=len(catalog.categories))
    by_size = np.argsort(-sizes, kind="stable")  # codes follow the names
    named = [int(code) for code in by_size[:largest] if sizes[code]]
    rest = np.flatnonzero(~np.isin(codes, named))
    groups = [MapGroup(OTHERS, OTHERS_COLOUR, SHAPES[0], rest)] if len(rest) else []
    for place, code in enumerate(named):
        colour = COLOURS[place % len(COLOURS)]
        shape = SHAPES[place // len(COLOURS)]
        points = np.flatnonzero(codes == code)
        groups.append(MapGroup(catalog.categories[code], colour, shape, points))
    return groups
