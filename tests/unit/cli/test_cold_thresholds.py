import tomllib

import numpy as np
import pytest
from numpy.typing import NDArray

from artifacts.progress import SilentProgress
from cli.cold_scorers import ColdWorld, Hybrid, HybridThresholds
from cli.cold_start import ColdStartReport
from cli.cold_thresholds import LEAST_CASES, choose_thresholds
from indexer.anchors_config import AnchorsConfig
from tests.clusters import clustered
from tests.made_artifacts import embedding_table

ITEMS = 30
NAMES = ("Bakery", "Dairy", 'Pro"duce')


@pytest.fixture
def world() -> ColdWorld:
    rows = np.arange(ITEMS, dtype=np.int32)
    cf = embedding_table(rows, clustered(ITEMS, seed=1), clustered(ITEMS, seed=2))
    content = embedding_table(rows, clustered(ITEMS, seed=3))
    return ColdWorld(cf, content, rows, rows % 3, NAMES)


def test_thresholds_are_chosen_one_after_the_other(world: ColdWorld):
    queries = np.arange(ITEMS, dtype=np.int32)

    def score(method: Hybrid) -> NDArray[np.float64]:
        chosen = method.thresholds
        good = (chosen.min_sessions == 50) + (chosen.anchors == 3) + (chosen.min_similarity == 0.5)
        return np.full(ITEMS, good / 3)

    chosen = choose_thresholds(world, queries, score, progress=SilentProgress())
    assert chosen == HybridThresholds(min_sessions=50, anchors=3, min_similarity=0.5)


@pytest.mark.parametrize(
    ("cases", "gain", "own"),
    [
        (LEAST_CASES, 0.2, {"Dairy": 0.7}),
        (LEAST_CASES - 1, 0.2, {}),
        (LEAST_CASES, 0.01, {}),
    ],
    ids=["sure", "too few cases", "within the noise"],
)
def test_a_category_gets_a_threshold_of_its_own_where_that_is_surely_better(
    world: ColdWorld, cases: int, gain: float, own: dict[str, float]
):
    queries = np.repeat(np.array([0, 1, 2], dtype=np.int32), [3 * LEAST_CASES, cases, 50])
    noise = np.random.default_rng(0).normal(0, 0.2, len(queries))

    def score(method: Hybrid) -> NDArray[np.float64]:
        """Bakery does best at 0, Dairy at 0.7."""
        strict = method.thresholds.min_similarity == 0.7
        return 0.3 + strict * (np.where(queries == 1, gain, -0.3) + noise)

    chosen = choose_thresholds(world, queries, score, progress=SilentProgress())
    assert chosen.min_similarity == 0.0
    assert chosen.categories == own


def test_thresholds_of_categories_are_printed_as_the_shop_file_takes_them(world: ColdWorld):
    thresholds = HybridThresholds(min_sessions=50, categories={'Pro"duce': 0.7, "Dairy": 0.5})
    report = ColdStartReport.model_construct(thresholds=thresholds)
    printed = tomllib.loads("\n".join(report.thresholds_toml()))
    anchors = AnchorsConfig.model_validate(printed["index"]["anchors"])
    assert anchors.of('Pro"duce').min_similarity == 0.7
    assert anchors.of("Dairy").min_similarity == 0.5
    assert anchors.of("Bakery").min_similarity == 0.0
    assert anchors.of("Dairy").min_sessions == 50
