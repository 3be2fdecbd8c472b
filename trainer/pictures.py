"""Decode a picture file into the square that the network sees."""

import io
import warnings
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from trainer.picture_refusals import Refusal

Picture: TypeAlias = NDArray[np.uint8]
"""(s, s, 3) uint8, RGB."""

# Formats of shop pictures only: others have decoders that start programs or read further files.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
WHITE = (255, 255, 255)


def decode_picture(content: bytes, *, size: int, max_pixels: int) -> Picture | Refusal:
    """Return the whole picture, upright, in the middle of a white square.

    Padding keeps tall and wide products whole, where a crop from the centre would cut them, and
    white is what most of them stand on. Transparency becomes white for the same reason. Of an
    animation the first frame is taken.

    Args:
        content: bytes of the file.
        size: s, pixels of either side.
        max_pixels: pictures that claim more are refused before they are decoded.
    """
    # A file may be wrong in ways for which decoders have warnings and errors of every kind; whatever
    # they raise, the picture is of no use and the others go on.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.width * image.height > max_pixels:
                    return Refusal.TOO_MANY_PIXELS
                return _square(image, size)
        except UnidentifiedImageError:
            return Refusal.NOT_A_PICTURE
        except Image.DecompressionBombError:
            return Refusal.TOO_MANY_PIXELS
        except Exception:
            return Refusal.DAMAGED


def _square(image: Image.Image, size: int) -> Picture:
    image.draft("RGB", (size, size))  # a JPEG decodes at the smallest scale that suffices
    upright = ImageOps.exif_transpose(image)
    padded = ImageOps.pad(_rgb(upright), (size, size), Image.Resampling.BICUBIC, color=WHITE)
    return np.array(padded, dtype=np.uint8)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _from_deep(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    behind = Image.new("RGBA", image.size, (*WHITE, 255))
    return Image.alpha_composite(behind, image.convert("RGBA")).convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """Scale grey values of more than 8 bits; Pillow would cut them off at 255."""
    grey = np.asarray(image, dtype=np.float64)
    scaled = np.clip(grey / 257, 0, 255).astype(np.uint8)
    return Image.fromarray(scaled).convert("RGB")
