from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]  # no stubs

from trainer.content_config import ContentConfig
from trainer.content_texts import FieldTokens
from trainer.content_weights import weigh_words

LISTS: list[list[int]] = [[0, 1, 1], [0], [], [0, 2, 2, 2]]


def field_tokens(lists: Sequence[Sequence[int]]) -> FieldTokens:
    return FieldTokens(
        ids=np.concatenate([np.array(ids, dtype=np.int32) for ids in lists]),
        offsets=np.cumsum([0, *map(len, lists)]),
        cut=np.zeros(len(lists), dtype=np.bool_),
    )


def test_idf_equals_that_of_scikit_learn():
    reference = TfidfVectorizer(analyzer=lambda ids: ids).fit(LISTS)
    weights = weigh_words(field_tokens(LISTS), 3, ContentConfig(weighting="idf"))
    np.testing.assert_allclose(weights.of_words, reference.idf_, rtol=1e-6)
    assert weights.unknown == pytest.approx(np.log(5) + 1)


def test_sif_falls_with_the_share_of_tokens():
    weights = weigh_words(field_tokens(LISTS), 4, ContentConfig(weighting="sif", sif_a=0.5))
    shares = np.array([3, 2, 3, 0]) / 8
    np.testing.assert_allclose(weights.of_words, 0.5 / (0.5 + shares), rtol=1e-6)
    assert weights.unknown == 1


def test_the_mean_weighs_all_words_alike():
    weights = weigh_words(field_tokens(LISTS), 3, ContentConfig(weighting="mean"))
    assert [*weights.of_words, weights.unknown] == [1, 1, 1, 1]


@pytest.mark.parametrize("weighting", ["idf", "sif", "mean"])
def test_a_field_that_nobody_fills_still_weighs_words(weighting):
    weights = weigh_words(field_tokens([[], []]), 3, ContentConfig(weighting=weighting))
    assert np.isfinite(weights.of_words).all()
