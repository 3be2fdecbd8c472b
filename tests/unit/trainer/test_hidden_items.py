from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from artifacts.prepared import HELDOUT_NAME, TRAIN_NAME
from tests.made_sessions import prepare_sessions, themed_sessions
from trainer.hidden_items import HidingConfig, hide_items
from trainer.weighted_lists import read_weighted_lists


def test_weights_stay_with_the_events_that_are_left(tmp_path):
    prepared = prepare_sessions(tmp_path / "shop", themed_sessions(200))
    table = pq.read_table(prepared.train_sessions)
    # Every event weighs one more than its row, so that it can be told which weight is whose.
    weights = [[1.0 + row for row in items] for items in table.column("items").to_pylist()]
    column = pa.array(weights, type=pa.list_(pa.float32()))
    (tmp_path / "weighted").mkdir()
    pq.write_table(table.append_column("weights", column), tmp_path / "weighted" / TRAIN_NAME)
    pq.write_table(pq.read_table(prepared.heldout_sessions), tmp_path / "weighted" / HELDOUT_NAME)
    weighted = replace(prepared, path=tmp_path / "weighted")
    with hide_items(weighted, HidingConfig(min_sessions=1), tmp_path) as made:
        sessions = read_weighted_lists(made.warm.train_sessions)
        assert len(made.hidden)
        assert not np.isin(sessions.lists.values, made.hidden).any()
        assert sessions.lists.lengths.min() > 1
    expected = (1.0 + sessions.lists.values) / (1.0 + sessions.lists.values.min())
    assert sessions.weights is not None
    np.testing.assert_allclose(sessions.weights, expected, rtol=1e-6)
