from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from trainer.config import EventColumns, EventsConfig, ItemColumns, ItemsConfig, PrepareConfig
from trainer.prepare import prepare


def prepare_shop(folder: Path, columns: ItemColumns) -> Prepared:
    places = range(60)
    events = {
        "session_id": [f"s{place // 3}" for place in places],
        "item_id": [f"i{(place * (1 + place // 3)) % 5}" for place in places],
        "position": list(places),
    }
    items = {"item_id": ["i1", "i2", "i3"], "name": ["Tea", "Milk", None], "text": ["A", " ", None]}
    pq.write_table(pa.table(events), folder / "events.parquet")
    pq.write_table(pa.table(items), folder / "items.parquet")
    config = PrepareConfig(
        events=EventsConfig(
            path=(str(folder / "events.parquet"),), columns=EventColumns(position="position")
        ),
        items=ItemsConfig(path=(str(folder / "items.parquet"),), columns=columns),
    )
    return prepare(config, VersionedRoot(folder / "prepared"), progress=SilentProgress())


@pytest.mark.parametrize(
    ("description", "expected"),
    [("text", [None, "A", None, None, None]), (None, [None] * 5)],
)
def test_descriptions_reach_the_catalogue_where_they_are_mapped(tmp_path, description, expected):
    prepared = prepare_shop(tmp_path, ItemColumns(title="name", description=description))
    assert prepared.items.ids(range(5)) == ["i0", "i1", "i2", "i3", "i4"]
    assert list(prepared.catalog.descriptions) == expected
    assert list(prepared.catalog.titles) == [None, "Tea", "Milk", None, None]
