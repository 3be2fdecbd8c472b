"""Bands of prices within a category: cheap, dear, and what lies between."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector

BETWEEN = " / "


def price_bands(
    prices: FloatVector, codes: IntVector, categories: Sequence[str], bands: int
) -> list[str | None]:
    """Name the band of every item: its top category and the number of the band, from 1 on.

    Bands are quantiles among the different items of a category, since what is dear in one is cheap
    in another. Equal prices are in one band, so there may be fewer bands than asked for.

    Args:
        prices: (n,) float32, NaN where unknown; such items have no band.
        codes: (n,) int32 into `categories`.
        categories: names.
        bands: wanted, >= 2.

    Cost: one sort of every category.
    """
    band = np.zeros(len(prices), dtype=np.int64)
    known = np.isfinite(prices)
    for code in np.unique(codes[known]):
        members = known & (codes == code)
        band[members] = 1 + _bands_of(prices[members], bands)
    return [
        f"{categories[code]}{BETWEEN}{number}" if number else None
        for code, number in zip(codes.tolist(), band.tolist(), strict=True)
    ]


def _bands_of(prices: FloatVector, bands: int) -> NDArray[np.int64]:
    """Return from 0 on how many of the inner quantiles lie below each price."""
    ends = np.quantile(prices, np.arange(1, bands) / bands)
    numbers: NDArray[np.int64] = np.searchsorted(ends.astype(np.float32), prices, side="left")
    return numbers
