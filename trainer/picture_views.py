"""Versions of one picture that show the same product: what fine-tuning learns from."""

import numpy as np
from PIL import Image

from trainer.pictures import Picture


def flipped_crop(picture: Picture, rng: np.random.Generator, *, smallest: float) -> Picture:
    """Return a random rectangle of the picture at its full size, mirrored half of the time.

    Args:
        picture: (s, s, 3).
        rng: draws the rectangle and the side.
        smallest: share of either side that stays at least.

    Returns:
        (s, s, 3), a new array. The proportions change by as much as the sides differ, which is the
        distortion of Szegedy et al. 2015, section 6, made gentle.
    """
    size = len(picture)
    height, width = (np.ceil(size * rng.uniform(smallest, 1, size=2))).astype(int)
    top, left = rng.integers(0, (size - height + 1, size - width + 1))
    crop = picture[top : top + height, left : left + width]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    resized = Image.fromarray(np.ascontiguousarray(crop)).resize(
        (size, size), Image.Resampling.BICUBIC
    )
    return np.array(resized, dtype=np.uint8)
