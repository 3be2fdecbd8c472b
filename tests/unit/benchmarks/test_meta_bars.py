import numpy as np
import pytest

from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from benchmarks.meta_bars import RARE, measure, verdict
from benchmarks.quality_bars import reciprocal_ranks
from benchmarks.quality_data import QUALITY_DATA, QualityData
from tests.made_metadata import prepare_metadata_shop
from trainer.evaluate import last_steps
from trainer.prod2vec import fit_prod2vec
from trainer.scorers import EmbeddingScorer
from trainer.session_lists import read_session_lists

MADE = QualityData(
    name="made",
    prepare={"columns": {"position": "position"}},
    item_columns=None,
    train={"dimensions": 8, "min_count": 1, "softmax": {"epochs": 2, "batch": 16, "noise": 16}},
    at_least=0.1,
    meta={"columns": ("category:2",)},
)


def test_both_learn_by_the_same_settings_wherever_both_have_one():
    for data in QUALITY_DATA.values():
        if data.meta is None:
            continue
        meta, plain = data.meta_config, data.config
        for name in ("dimensions", "window", "min_count", "seed", "softmax"):
            assert getattr(meta, name) == getattr(plain, name)


def test_rare_items_are_those_seen_seldom_in_training(tmp_path):
    prepared = prepare_metadata_shop(
        tmp_path / "shop", sessions=200, split={"kind": "random", "fraction": 0.3}
    )
    metrics = measure(MADE, prepared, tmp_path, progress=SilentProgress()).metrics
    table = fit_prod2vec(prepared, MADE.config, tmp_path, progress=SilentProgress())
    scorer = EmbeddingScorer(table, Relation.CONTINUATIONS, "cf")
    values = reciprocal_ranks(prepared, scorer)
    seen = np.bincount(read_session_lists(prepared.train_sessions).values, minlength=10**3)
    rare = seen[last_steps(prepared).queries] < RARE
    assert metrics["all_sessions"] == len(values)
    assert metrics["rare_query_sessions"] == rare.sum() > 0
    assert metrics["all_prod2vec_mrr"] == pytest.approx(values.mean())
    assert metrics["rare_query_prod2vec_mrr"] == pytest.approx(values[rare].mean())
    assert metrics["rare_query_gain_low"] <= metrics["rare_query_gain"]


@pytest.mark.parametrize(
    ("low", "gain", "met"), [(0.01, 0.0, True), (0.0, 0.1, False), (0.01, -0.001, False)]
)
def test_the_bar_is_met_where_rare_items_gain_for_sure_and_nothing_is_lost(low, gain, met):
    names = ("sessions", "meta_mrr", "prod2vec_mrr", "gain", "gain_low", "gain_high")
    metrics = {
        f"{part}_{name}": 0.0 for part in ("all", "rare_query", "rare_target") for name in names
    }
    metrics |= {"rare_query_gain_low": low, "all_gain": gain}
    said = verdict("made", metrics).splitlines()[0]
    assert said == f"made: meta-prod2vec {'met' if met else 'NOT met'}"
