import numpy as np
import pyarrow.parquet as pq
import pytest

from artifacts.progress import SilentProgress
from benchmarks.quality_bars import measure
from benchmarks.quality_data import QUALITY_DATA, QualityData
from tests.made_sessions import prepare_sessions, themed_sessions
from trainer.prod2vec import fit_prod2vec

MADE = QualityData(
    name="made",
    prepare={"columns": {"position": "position"}},
    item_columns=None,
    train={"dimensions": 8, "min_count": 1, "softmax": {"epochs": 3, "batch": 16, "noise": 16}},
    at_least=0.1,
)


def test_every_data_set_has_settings_that_hold_and_one_bar():
    for data in QUALITY_DATA.values():
        assert data.config.softmax is not None
        assert (data.at_least is None) != (data.against_co_occurrence is None)


def test_measured_quality_is_that_of_a_loop(tmp_path):
    prepared = prepare_sessions(tmp_path / "shop", themed_sessions(300))
    metrics = measure(MADE, prepared, tmp_path, progress=SilentProgress()).metrics
    table = fit_prod2vec(prepared, MADE.config, tmp_path, progress=SilentProgress())
    assert table.outputs is not None
    sessions = pq.read_table(prepared.heldout_sessions).column("items").to_pylist()
    place = {int(row): at for at, row in enumerate(table.rows)}
    found = []
    for session in sessions:
        asked, wanted = place[session[-2]], place[session[-1]]
        scores = table.outputs @ table.vectors[asked]
        scores[asked] = -np.inf
        rank = int(np.count_nonzero(scores >= scores[wanted]))
        found.append(1 / rank if asked != wanted and rank <= 25 else 0)
    assert metrics["sessions"] == len(sessions)
    assert metrics["mrr"] == pytest.approx(np.mean(found), rel=1e-6)
    assert metrics["mrr_low"] <= metrics["mrr"] <= metrics["mrr_high"]
    expected = metrics["mrr"] / metrics["co_occurrence_mrr"]
    assert metrics["ratio"] == pytest.approx(expected)
