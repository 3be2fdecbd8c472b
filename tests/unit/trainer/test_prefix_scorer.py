import numpy as np
import pytest

from tests.clusters import clustered
from tests.made_artifacts import embedding_table
from tests.made_lists import ragged
from trainer.prefix_config import PrefixConfig
from trainer.prefix_scorer import PrefixScorer

ROWS = np.array([1, 2, 4, 7, 8], dtype=np.int32)
TABLE = embedding_table(ROWS, clustered(5, seed=1), clustered(5, seed=2))
COUNTS = np.array([0, 3, 0, 9, 5, 2, 7, 7, 40], dtype=np.int32)
PLACES = {int(row): place for place, row in enumerate(ROWS)}


def product(item: int, other: int, config: PrefixConfig) -> float:
    assert TABLE.outputs is not None
    forth = float(TABLE.vectors[PLACES[item]] @ TABLE.outputs[PLACES[other]])
    back = float(TABLE.outputs[PLACES[item]] @ TABLE.vectors[PLACES[other]])
    return (forth + back) / 2 if config.symmetric else forth


@pytest.mark.parametrize(
    "config",
    [
        PrefixConfig(),
        PrefixConfig(symmetric=False, decay=0.4),
        PrefixConfig(last_items=2, count_exponent=0),
        PrefixConfig(decay=0),
    ],
    ids=["defaults", "one way", "two items", "last alone"],
)
def test_score_is_the_weighted_mean_of_products_and_the_damped_count(config):
    prefixes = [[1, 4, 1, 8], [7], [3, 2, 0], [2, 1, 7, 8]]
    scores = PrefixScorer(TABLE, COUNTS, config, "mean").scores(ragged(prefixes))
    for prefix, row in zip(prefixes, scores, strict=True):
        known = [item for item in prefix if item in PLACES][-config.last_items :]
        weights = [config.decay**place for place in range(len(known))][::-1]
        for other, score in zip(PLACES, row, strict=True):
            products = [product(item, other, config) for item in known]
            expected = np.average(products, weights=weights)
            expected += config.count_exponent * np.log(max(int(COUNTS[other]), 1))
            assert score == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_prefixes_without_a_known_item_get_no_answer():
    scorer = PrefixScorer(TABLE, COUNTS, PrefixConfig(), "mean")
    scores = scorer.scores(ragged([[3, 0], [1]]))
    assert np.isneginf(scores[0]).all()
    assert np.isfinite(scores[1]).all()
    assert np.isneginf(scorer.scores(ragged([[3, 0]]))).all()
