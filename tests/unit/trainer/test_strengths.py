"""Weights of kinds of event, by properties on made data."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from tests.made_events import KINDS, KINDS_COLUMNS, made_events
from tests.made_sessions import Row, write_rows
from trainer.config import PrepareConfig
from trainer.interactions import read_interactions
from trainer.prepare import prepare

NO_SPLIT = {"kind": "none"}
COLUMNS = {**KINDS_COLUMNS, "position": "position"}


def prepared_of(folder: Path, rows: list[Row], **changes: Any) -> Prepared:
    folder.mkdir(exist_ok=True)
    events = {"path": str(write_rows(folder / "e.csv", rows)), "columns": COLUMNS}
    settings = {"events": events, "kinds": KINDS, "split": NO_SPLIT, **changes}
    config = PrepareConfig.model_validate(settings)
    return prepare(config, VersionedRoot(folder / "root"), progress=SilentProgress())


def weighted(prepared: Prepared) -> dict[str, list[tuple[str, float]]]:
    rows = pq.read_table(prepared.train_sessions).to_pylist()
    return {
        row["session_id"]: list(zip(prepared.items.ids(row["items"]), row["weights"], strict=True))
        for row in rows
    }


def visit(*events: str) -> list[Row]:
    """Return one session from words such as `a:view`."""
    rows = []
    for place, event in enumerate(events):
        item, kind = event.split(":")
        rows.append(
            {
                "session_id": "s",
                "user_id": "u",
                "item_id": item,
                "position": str(place),
                "timestamp": "2026-01-01",
                "kind": kind,
            }
        )
    return rows


def test_each_place_has_the_weight_of_its_event(tmp_path):
    rows = visit("a:view", "b:cart", "a: PURCHASE ")
    assert weighted(prepared_of(tmp_path, rows)) == {"s": [("a", 1), ("b", 3), ("a", 5)]}


def test_repeats_in_a_row_become_one_place_of_the_strongest_kind(tmp_path):
    rows = visit("a:view", "a:purchase", "a:view", "b:view", "a:cart", "a:view")
    assert weighted(prepared_of(tmp_path, rows)) == {"s": [("a", 5), ("b", 1), ("a", 3)]}


def test_a_basket_gives_each_item_its_strongest_kind(tmp_path):
    rows = visit("a:view", "b:view", "a:cart", "b:view")
    found = weighted(prepared_of(tmp_path, rows, sessions={"order": "none"}))
    assert sorted(found["s"]) == [("a", 3), ("b", 1)]


def test_a_kind_that_is_taken_but_not_weighed_weighs_one(tmp_path):
    rows = visit("a:click", "b:purchase")
    found = weighted(prepared_of(tmp_path, rows, kinds={"purchase": 0.5}))
    assert found == {"s": [("a", 1), ("b", 0.5)]}


@pytest.mark.parametrize("order", ["position", "timestamp", "none"])
@pytest.mark.parametrize("drop_repeats", [True, False])
def test_weights_change_neither_sessions_nor_their_order(tmp_path, order, drop_repeats):
    sessions = {"order": order, "drop_repeats": drop_repeats}
    plain, heavy = (
        prepared_of(tmp_path / name, made_events(), sessions=sessions, kinds=kinds)
        for name, kinds in (("plain", {}), ("heavy", KINDS))
    )
    one, other = (pq.read_table(part.train_sessions) for part in (plain, heavy))
    assert other.drop_columns("weights").equals(one)
    assert other.schema.field("weights").type.value_type == pa.float32()
    lengths = zip(other["items"].to_pylist(), other["weights"].to_pylist(), strict=True)
    assert all(len(items) == len(weights) for items, weights in lengths)


def test_equal_weights_are_no_weights(tmp_path):
    prepared = prepared_of(tmp_path, visit("a:view", "b:cart"), kinds=dict.fromkeys(KINDS, 1.0))
    assert "weights" not in pq.read_schema(prepared.train_sessions).names


def test_weights_grow_what_a_user_is_known_to_want_in_proportion(tmp_path):
    matrices = []
    for factor in (1, 4):
        kinds = {kind: weight * factor for kind, weight in {**KINDS, "click": 2.0}.items()}
        prepared = prepared_of(tmp_path, made_events(), kinds=kinds)
        matrices.append(read_interactions(prepared.train_sessions).matrix.toarray())
    np.testing.assert_allclose(matrices[1], 4 * matrices[0])
    assert len(np.unique(matrices[0])) > 4
