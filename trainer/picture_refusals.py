"""Why a picture was not taken, and the list of those that were not."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


class Refusal(StrEnum):
    """A reason, as the list of refused pictures words it."""

    NO_ITEM = "row names no item"
    NO_PATH = "row names no picture"
    UNKNOWN_ITEM = "item is not in the prepared data"
    REPEATED = "row repeats an earlier one"
    OUTSIDE = "path leaves the folder"
    MISSING = "file is missing"
    UNREADABLE = "file cannot be read"
    EMPTY = "file is empty"
    TOO_LARGE = "file is larger than max_bytes"
    CHANGED = "file changed while it was read"
    NOT_A_PICTURE = "file is not a picture of a known format"
    TOO_MANY_PIXELS = "picture has more than max_pixels"
    DAMAGED = "picture is damaged"


@dataclass(slots=True)
class RefusedPictures:
    """Collects the refused rows of the table of pictures, in the order they were met."""

    item_ids: list[str | None] = field(default_factory=list)
    paths: list[str | None] = field(default_factory=list)
    reasons: list[Refusal] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.reasons)

    def add(self, item_id: str | None, path: str | None, reason: Refusal) -> None:
        """Note one row."""
        self.item_ids.append(item_id)
        self.paths.append(path)
        self.reasons.append(reason)

    def counts(self) -> dict[str, int]:
        """Return the rows of every reason that occurred, by its wording, most frequent first."""
        return {str(reason): count for reason, count in Counter(self.reasons).most_common()}

    def write(self, path: Path) -> None:
        """Write a Parquet file of item_id, path and reason; it is written even if it is empty."""
        names = ("item_id", "path", "reason")
        columns = (self.item_ids, self.paths, [str(reason) for reason in self.reasons])
        arrays = [pa.array(column, type=pa.string()) for column in columns]
        pq.write_table(pa.table(dict(zip(names, arrays, strict=True))), path)
