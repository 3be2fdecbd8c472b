import numpy as np
import pytest
from numpy.typing import NDArray

from artifacts.arrays import unit_rows
from tests.clusters import clustered
from tests.made_artifacts import embedding_table
from tests.made_lists import ragged
from trainer.prefix_config import PrefixConfig
from trainer.prefix_scorer import PrefixScorer
from trainer.session_vectors import SessionVectorsScorer

ROWS = np.array([1, 2, 4, 7, 8], dtype=np.int32)
TABLE = embedding_table(ROWS, clustered(5, seed=1), clustered(5, seed=2))
COUNTS = np.array([0, 3, 0, 9, 5, 2, 7, 7, 40], dtype=np.int32)
SESSIONS = [[1, 2, 1], [3, 4, 7], [8, 2], [0], [4, 8, 7], [2, 4]]
CONFIG = PrefixConfig(neighbors=3, sharpness=4, votes=1.5)


def scorer(
    config: PrefixConfig = CONFIG, sessions: list[list[int]] = SESSIONS
) -> SessionVectorsScorer:
    return SessionVectorsScorer(TABLE, COUNTS, ragged(sessions), config, "sessions")


def by_loop(prefix: list[int], config: PrefixConfig) -> NDArray[np.float64]:
    """Return votes and probabilities, one item after the other."""
    unit = unit_rows(TABLE.vectors)
    place = {int(row): position for position, row in enumerate(ROWS)}
    kept = [sorted({place[item] for item in one if item in place}) for one in SESSIONS]
    kept = [one for one in kept if one]
    recent = [place[item] for item in prefix if item in place][-config.last_items :]
    ages = enumerate(reversed(recent))
    asking = np.sum([config.decay**age * unit[item] for age, item in ages], axis=0)
    alike = []
    for one in kept:
        mean = unit[one].sum(axis=0)
        alike.append(asking @ mean / np.linalg.norm(asking) / np.linalg.norm(mean))
    votes = np.zeros(len(ROWS))
    for session in np.argsort(alike)[::-1][: config.neighbors]:
        for item in kept[session]:
            held = sum(item in one for one in kept)
            idf = np.log(len(SESSIONS) / held)
            votes[item] += max(alike[session], 0) ** config.sharpness * (1 + idf)
    logits = PrefixScorer(TABLE, COUNTS, config, "p").scores(ragged([prefix]))[0].astype(float)
    shares = np.exp(logits - logits.max())
    scores: NDArray[np.float64] = config.votes * votes / votes.sum() + shares / shares.sum()
    return scores


@pytest.mark.parametrize("prefix", [[1], [4, 8], [7, 3, 2, 1], [8, 8, 2]])
@pytest.mark.parametrize("neighbors", [1, 3, 50])
def test_scores_are_votes_of_the_nearest_sessions_beside_probabilities(prefix, neighbors):
    config = CONFIG.model_copy(update={"neighbors": neighbors})
    scores = scorer(config).scores(ragged([prefix]))[0]
    np.testing.assert_allclose(scores, by_loop(prefix, config), rtol=1e-4, atol=1e-6)


def test_prefixes_without_a_known_item_get_no_answer():
    scores = scorer().scores(ragged([[3, 0], [1]]))
    assert np.isneginf(scores[0]).all()
    assert np.isfinite(scores[1]).all()
    assert np.isneginf(scorer().scores(ragged([[3, 0]]))).all()


def test_without_a_session_to_vote_the_vectors_of_items_decide():
    alone = scorer(sessions=[[0], [3]]).scores(ragged([[4, 8]]))[0]
    shares = np.exp(PrefixScorer(TABLE, COUNTS, CONFIG, "p").scores(ragged([[4, 8]]))[0])
    np.testing.assert_allclose(alone, shares / shares.sum(), rtol=1e-4)
