"""A shop of files: events and items of made sessions, and the TOML that names them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

GROUPS = 6
ITEMS_PER_GROUP = 30
SESSIONS = 600
SEED = 20

SHOP = """
work_dir = "work"

[prepare.events]
path = "events.csv"

[prepare.events.columns]
position = "position"

[prepare.items]
path = "items.csv"

[prepare.items.columns]
title = "title"
category_path = "category_path"

[train.cf]
dimensions = 16
epochs = 8
negative = 5
workers = 1

[evaluate]
resamples = 200

[index]
threads = 1

[[index.spaces]]
space = "cf"
neighbors = 10
per_category = true
"""


def write_shop(folder: Path, shop: str = SHOP) -> Path:
    """Write `events.csv`, `items.csv` and `shop.toml`; shoppers stay within a group of items."""
    rng = np.random.default_rng(SEED)
    sessions = [_session(rng) for _ in range(SESSIONS)]
    write_csv(
        folder / "events.csv",
        session_id=[f"s{n:04}" for n, items in enumerate(sessions) for _ in items],
        position=[str(place) for items in sessions for place in range(1, len(items) + 1)],
        item_id=[item for items in sessions for item in items],
    )
    groups = [(group, place) for group in range(GROUPS) for place in range(ITEMS_PER_GROUP)]
    write_csv(
        folder / "items.csv",
        item_id=[_id(group, place) for group, place in groups],
        title=[f"product {place} of group {group}" for group, place in groups],
        category_path=[f"group {group} > half {place % 2}" for group, place in groups],
    )
    (folder / "shop.toml").write_text(shop, "utf-8")
    return folder / "shop.toml"


def write_csv(path: Path, **columns: Sequence[str]) -> None:
    """Write strings as they are, one column a keyword."""
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    pa_csv.write_csv(table, path)


def _session(rng: np.random.Generator) -> list[str]:
    group = int(rng.integers(GROUPS))
    start = int(rng.integers(ITEMS_PER_GROUP))
    length = int(rng.integers(2, 7))
    steps = np.cumsum(rng.integers(1, 3, size=length))
    return [_id(group, int((start + step) % ITEMS_PER_GROUP)) for step in steps]


def _id(group: int, place: int) -> str:
    return f"0{group}{place:02}"  # leading zeros must survive every stage
