"""Small pictures, drawn: products of one category share a colour and a shape."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 200)}


def drawn(colour: str, *, seed: int = 0, size: tuple[int, int] = (80, 80)) -> Image.Image:
    """Return a disc of a colour, somewhere on white, with seeded noise."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, (255, 255, 255))
    left, top = rng.integers(5, 25, size=2).tolist()
    ImageDraw.Draw(image).ellipse((left, top, left + 45, top + 45), fill=COLOURS[colour])
    noise = rng.integers(-12, 13, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def write_pictures(
    folder: Path, colours: dict[str, str], *, each: int = 2
) -> list[tuple[str, str]]:
    """Draw `each` pictures of every item, and return item id and path of each, items in order.

    Args:
        folder: existing or new.
        colours: colour of every item id.
        each: pictures of an item.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (item, colour) in enumerate(colours.items()):
        for copy in range(each):
            path = f"{item}-{copy}.png"
            (folder / path).write_bytes(encoded(drawn(colour, seed=100 * number + copy)))
            rows.append((item, path))
    return rows
