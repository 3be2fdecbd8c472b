import tomllib

import numpy as np
import pytest

from artifacts.errors import DataError
from artifacts.progress import SilentProgress
from cli.cold_scorers import (
    ColdWorld,
    ContentOnly,
    Hybrid,
    HybridThresholds,
    NearestMean,
    PopularInCategory,
)
from cli.cold_start import ColdStart, ColdStartReport, simulate_cold_start, write_cold_start
from cli.pipeline import run_prepare
from cli.shop import load_shop
from indexer.anchors_config import AnchorsConfig
from tests.clusters import clustered
from tests.made_artifacts import embedding_table
from tests.made_sessions import read_sessions
from tests.shop_files import write_shop
from trainer.config import EvaluateConfig, Prod2VecConfig, TrainConfig
from trainer.content_config import ContentConfig
from trainer.hidden_items import HidingConfig, hide_items

SEEN = np.array([0, 1, 3, 4, 6], dtype=np.int32)
COUNTS = np.array([30, 8, 0, 50, 2, 0, 21, 0], dtype=np.int32)
CATEGORIES = np.array([0, 0, 0, 1, 1, 1, 0, 1], dtype=np.int32)


@pytest.fixture(scope="module")
def world() -> ColdWorld:
    cf = embedding_table(SEEN, clustered(5, seed=1), clustered(5, seed=2))
    content = embedding_table(np.arange(7, dtype=np.int32), clustered(7, seed=3))
    return ColdWorld(cf, content, COUNTS, CATEGORIES, ("one", "other"))


def cosines(world: ColdWorld, query: int) -> np.ndarray:
    vectors = world.content.vectors
    products = vectors[SEEN] @ vectors[query]
    return products / np.linalg.norm(vectors[SEEN], axis=1) / np.linalg.norm(vectors[query])


def test_hybrid_is_the_list_of_the_popular_item_most_alike(world):
    scores = Hybrid(world, HybridThresholds(min_sessions=20, min_similarity=-1)).scores(
        np.array([2, 5], np.int32)
    )
    popular = np.flatnonzero(COUNTS[SEEN] >= 20)
    for query, row in zip((2, 5), scores, strict=True):
        similar = cosines(world, query)
        anchor = popular[np.argmax(similar[popular])]
        if similar[anchor] <= 0:
            continue
        expected = world.cf.outputs @ world.cf.vectors[anchor]
        expected[anchor] = -np.inf
        np.testing.assert_allclose(row, expected, rtol=1e-5)


def test_several_anchors_ask_together_weighed_by_likeness(world):
    thresholds = HybridThresholds(min_sessions=0, anchors=3)
    (scores,) = Hybrid(world, thresholds).scores(np.array([2], np.int32))
    similar = cosines(world, 2)
    nearest = np.argsort(-similar)[:3]
    weights = np.maximum(similar[nearest], 0)
    asking = (weights[:, None] * world.cf.vectors[nearest]).sum(axis=0) / weights.sum()
    np.testing.assert_allclose(scores, world.cf.outputs @ asking, rtol=1e-4)


def test_anchors_that_are_too_far_have_no_say(world):
    likeness = np.sort(cosines(world, 2))[::-1]
    between = float(likeness[:2].mean())
    strict = HybridThresholds(min_sessions=0, anchors=3, min_similarity=between)
    (scores,) = Hybrid(world, strict).scores(np.array([2], np.int32))
    nearest = int(np.argmax(cosines(world, 2)))
    expected = world.cf.outputs @ world.cf.vectors[nearest]
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


def test_hybrid_without_an_anchor_shows_what_is_popular(world):
    queries = np.array([2, 5, 7], np.int32)  # 7 has no text, so nothing is like it
    popular = PopularInCategory(world).scores(queries)
    strict = Hybrid(world, HybridThresholds(min_similarity=0.999999))
    np.testing.assert_array_equal(strict.scores(queries), popular)
    lenient = Hybrid(world, HybridThresholds(min_similarity=0.0))
    np.testing.assert_array_equal(lenient.scores(queries)[2], popular[2])


def test_popular_items_of_the_category_come_first(world):
    first, second = PopularInCategory(world).scores(np.array([2, 5], np.int32))
    assert SEEN[np.argsort(-first)].tolist() == [0, 6, 1, 3, 4]
    assert SEEN[np.argsort(-second)].tolist() == [3, 4, 0, 6, 1]


def test_content_alone_is_the_cosine(world):
    (scores,) = ContentOnly(world).scores(np.array([5], np.int32))
    np.testing.assert_allclose(scores, cosines(world, 5), atol=1e-6)


def test_mean_of_the_three_nearest_asks_in_place_of_the_item(world):
    (scores,) = NearestMean(world).scores(np.array([2], np.int32))
    nearest = np.argsort(-cosines(world, 2))[:3]
    expected = world.cf.outputs @ world.cf.vectors[nearest].mean(axis=0)
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    shop = write_shop(tmp_path_factory.mktemp("shop"))
    return run_prepare(load_shop(shop), SilentProgress())


def test_hidden_items_are_in_no_training_session(prepared, tmp_path):
    with hide_items(prepared, HidingConfig(), tmp_path) as made:
        warm = read_sessions(made.warm.train_sessions, prepared)
        counts = made.counts
    before = read_sessions(prepared.train_sessions, prepared)
    hidden = set(prepared.items.ids(made.hidden))
    assert 0.1 < len(hidden) / len(prepared.items) < 0.3
    for id, items in warm.items():
        assert items == [item for item in before[id] if item not in hidden]
        assert len(items) > 1
    assert 0.05 < 1 - len(warm) / len(before) < 0.4
    holders = [
        sum(item in items for items in warm.values())
        for item in prepared.items.ids(np.arange(len(prepared.items), dtype=np.int32))
    ]
    assert counts.tolist() == holders
    for cases in (made.validation, made.heldout):
        assert np.isin(cases.queries, made.hidden).all()
        assert not np.isin(cases.targets, made.hidden).any()
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_hide_is_an_error(prepared, tmp_path):
    with (
        pytest.raises(DataError, match="expected items that 99999 training sessions hold"),
        hide_items(prepared, HidingConfig(min_sessions=99_999), tmp_path),
    ):
        pass


def test_simulation_compares_four_methods_by_category_and_decile(prepared, tmp_path):
    cf = Prod2VecConfig(dimensions=16, epochs=6, negative=5, workers=1)
    content = ContentConfig(dimensions=16, epochs=3, workers=1, buckets=1000)
    settings = ColdStart(
        TrainConfig(cf=cf, content=content), EvaluateConfig(k=5, resamples=200), HidingConfig()
    )
    report = simulate_cold_start(prepared, settings, tmp_path, progress=SilentProgress())
    names = {result.method for result in report.methods.methods}
    assert names == {"hybrid", "content alone", "nearest CF mean", "popular in category"}
    assert sum(scores.cases for scores in report.categories) == report.methods.cases
    assert sum(decile.cases for decile in report.methods.deciles) == report.methods.cases
    total = sum(one.cases * one.mrr["hybrid"] for one in report.categories)
    mean = report.methods.method("hybrid").mrr.mean
    assert total / report.methods.cases == pytest.approx(mean)
    folder = write_cold_start(report, tmp_path / "charts")
    written = (folder / "cold-start.json").read_text("utf-8")
    assert ColdStartReport.model_validate_json(written) == report
    assert (folder / "cold-start.png").read_bytes().startswith(b"\x89PNG")
    printed = "[index.anchors]" + report.to_text().split("[index.anchors]")[1]
    anchors = AnchorsConfig.model_validate(tomllib.loads(printed)["index"]["anchors"])
    chosen = report.thresholds
    assert (anchors.min_sessions, anchors.min_similarity, anchors.anchors) == (
        chosen.min_sessions,
        chosen.min_similarity,
        chosen.anchors,
    )
