"""Decoded pictures by their key, batch by batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.images_config import ImagesConfig
from trainer.picture_files import PictureFiles, picture_key, read_picture
from trainer.picture_refusals import Refusal
from trainer.pictures import Picture, decode_picture


@dataclass(frozen=True, slots=True)
class PictureReader:
    """Reads the pictures of `files` as the settings say."""

    files: PictureFiles
    config: ImagesConfig

    def read(self, place: int) -> Picture | Refusal:
        """Return the picture at a place of `files`, or why there is none."""
        config = self.config
        content = read_picture(Path(config.folder), self.files.paths[place], config.max_bytes)
        if isinstance(content, Refusal):
            return content
        if picture_key(content) != self.files.keys[place]:
            return Refusal.CHANGED
        return decode_picture(content, size=config.size, max_pixels=config.max_pixels)

    def batches(
        self, places: Sequence[int], size: int, refused: dict[str, Refusal]
    ) -> Iterator[tuple[list[int], list[Picture]]]:
        """Yield at most `size` places at a time with their pictures.

        Args:
            places: of `files`, in the order wanted.
            size: places of a batch; those refused leave it shorter, or empty.
            refused: gets the reason of every key that is refused.
        """
        for start in range(0, len(places), size):
            kept: list[int] = []
            pictures: list[Picture] = []
            for place in places[start : start + size]:
                picture = self.read(place)
                if isinstance(picture, Refusal):
                    refused[self.files.keys[place]] = picture
                else:
                    kept.append(place)
                    pictures.append(picture)
            yield kept, pictures
