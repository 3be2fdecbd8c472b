"""A made shop whose items have categories, brands, prices and sellers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from artifacts.prepared import Prepared
from tests.made_sessions import prepare_sessions, themed_sessions

RARE = "t0-rare"
"""Stands in one session, with something of another theme."""

ITEM_COLUMNS = {"item_id": "id", "category_path": "path", "brand": "maker", "price": "price"}


def catalogue(items: Sequence[str]) -> dict[str, list[Any]]:
    """Describe items `t<theme>-<n>`: the theme is their category, n parts them into brands."""
    themes = [item.split("-")[0] for item in items]
    return {
        "id": list(items),
        "path": [f"Shop > {theme}" for theme in themes],
        "maker": [f"b{sum(map(ord, item)) % 3}" for item in items],
        "price": [float(place % 7) for place, _ in enumerate(items)],
        "seller": [None if place % 5 == 4 else f" s{place % 2} " for place, _ in enumerate(items)],
        "nothing": [None for _ in items],
    }


def prepare_metadata_shop(folder: Path, sessions: int = 300, **changes: Any) -> Prepared:
    """Prepare themed sessions, all for training, one of which holds `RARE` and a stranger."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [*themed_sessions(sessions), [RARE, "t5-00"]]
    described = catalogue(sorted({item for session in made for item in session}))
    types = {"price": pa.float64()}
    arrays = {
        name: pa.array(values, type=types.get(name, pa.string()))
        for name, values in described.items()
    }
    pq.write_table(pa.table(arrays), folder / "items.parquet")
    items = {"path": str(folder / "items.parquet"), "columns": ITEM_COLUMNS}
    settings = {"split": {"kind": "none"}, "items": items, **changes}
    return prepare_sessions(folder, made, **settings)
