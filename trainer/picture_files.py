"""Find the picture files of items, and name each by its content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash

from artifacts.arrays import IntVector
from artifacts.progress import Progress
from artifacts.vocabulary import UNKNOWN_ROW, Vocabulary
from trainer.images_config import ImagesConfig
from trainer.picture_refusals import Refusal, RefusedPictures
from trainer.picture_table import PictureRow


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """Pictures that exist, p of them, in the order of their item's row and then of the table.

    Attributes:
        rows: (p,) int32 vocabulary rows of their items, ascending.
        item_ids: ids of those items.
        paths: as the table gives them.
        keys: XXH3-128 of every file's bytes; files of equal content share one.
    """

    rows: IntVector
    item_ids: list[str]
    paths: list[str]
    keys: list[str]

    def __len__(self) -> int:
        return len(self.keys)

    def without(self, refused: Mapping[str, Refusal], list_of: RefusedPictures) -> "PictureFiles":
        """Return those whose key is not in `refused`, and note the others in `list_of`."""
        kept = []
        for place, key in enumerate(self.keys):
            if key in refused:
                list_of.add(self.item_ids[place], self.paths[place], refused[key])
            else:
                kept.append(place)
        return PictureFiles(
            rows=self.rows[kept],
            item_ids=[self.item_ids[place] for place in kept],
            paths=[self.paths[place] for place in kept],
            keys=[self.keys[place] for place in kept],
        )


def find_pictures(
    table: Sequence[PictureRow],
    items: Vocabulary,
    config: ImagesConfig,
    refused: RefusedPictures,
    *,
    progress: Progress,
) -> PictureFiles:
    """Read every file that the table names, once, for its key.

    Args:
        table: item ids and paths.
        items: the items that are known.
        config: names the folder and the largest file.
        refused: gets what is not taken.
        progress: gets one step a row.

    Cost: one sequential read of all files.
    """
    folder = Path(config.folder)
    seen: set[PictureRow] = set()
    found: list[tuple[int, str, str, str]] = []
    for item_id, path in table:
        progress.advance()
        refusal = _judge(item_id, path, items, seen)
        content = refusal or read_picture(folder, path or "", config.max_bytes)
        if isinstance(content, Refusal):
            refused.add(item_id, path, content)
            continue
        assert item_id is not None, "bug: a row without an item was taken"
        assert path is not None, "bug: a row without a path was taken"
        found.append((items.row(item_id), item_id, path, picture_key(content)))
    found.sort(key=lambda picture: picture[0])
    return PictureFiles(
        rows=np.array([row for row, *_ in found], dtype=np.int32),
        item_ids=[item_id for _, item_id, _, _ in found],
        paths=[path for *_, path, _ in found],
        keys=[key for *_, key in found],
    )


def _judge(
    item_id: str | None, path: str | None, items: Vocabulary, seen: set[PictureRow]
) -> Refusal | None:
    """Tell what is wrong with a row before its file is looked at, and remember the row."""
    if item_id is None:
        return Refusal.NO_ITEM
    if path is None:
        return Refusal.NO_PATH
    if items.row(item_id) == UNKNOWN_ROW:
        return Refusal.UNKNOWN_ITEM
    if (item_id, path) in seen:
        return Refusal.REPEATED
    seen.add((item_id, path))
    return None


def read_picture(folder: Path, path: str, max_bytes: int) -> bytes | Refusal:
    """Return the bytes of a file below `folder`, or why they are not to be had.

    Args:
        folder: what `path` starts at.
        path: relative; a link may point elsewhere, the path itself may not.
        max_bytes: largest file that is read.
    """
    if Path(path).is_absolute() or ".." in Path(path).parts:
        return Refusal.OUTSIDE
    try:
        size = (folder / path).stat().st_size
        if size == 0:
            return Refusal.EMPTY
        return (folder / path).read_bytes() if size <= max_bytes else Refusal.TOO_LARGE
    except (FileNotFoundError, NotADirectoryError):
        return Refusal.MISSING
    except (OSError, ValueError):  # ValueError: the path holds a null character
        return Refusal.UNREADABLE


def picture_key(content: bytes) -> str:
    """Return the name of a picture's content, 32 hexadecimal digits."""
    return xxhash.xxh3_128_hexdigest(content)
