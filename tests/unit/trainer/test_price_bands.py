from collections.abc import Sequence

import numpy as np

from trainer.price_bands import price_bands

NAN = float("nan")


def bands_of(prices: Sequence[float], codes: list[int], bands: int = 4) -> list[str | None]:
    return price_bands(
        np.array(prices, dtype=np.float32), np.array(codes, dtype=np.int32), ("Tea", "Wine"), bands
    )


def test_bands_are_quantiles_within_a_category():
    prices = [1, 2, 3, 4, 10, 20, 30, 40]
    assert bands_of(prices, [0] * 4 + [1] * 4) == [
        *(f"Tea / {band}" for band in (1, 2, 3, 4)),
        *(f"Wine / {band}" for band in (1, 2, 3, 4)),
    ]


def test_unknown_prices_have_no_band():
    assert bands_of([1, NAN, 2, float("inf")], [0, 0, 0, 0], bands=2) == [
        "Tea / 1",
        None,
        "Tea / 2",
        None,
    ]


def test_equal_prices_share_a_band():
    assert bands_of([5, 5, 5, 5], [0, 0, 0, 0]) == ["Tea / 1"] * 4
    assert bands_of([1, 5, 5, 5, 5, 9], [0] * 6, bands=2) == ["Tea / 1"] * 5 + ["Tea / 2"]


def test_bands_do_not_depend_on_the_order_of_items():
    rng = np.random.default_rng(0)
    prices, codes = rng.gamma(2, size=200).tolist(), rng.integers(2, size=200).tolist()
    order = rng.permutation(200)
    shuffled = bands_of([prices[i] for i in order], [codes[i] for i in order])
    there = bands_of(prices, codes)
    assert shuffled == [there[i] for i in order]
