import numpy as np
import pytest

from artifacts.als_terms import GRAM_NAME, TERMS_NAME, AlsTerms
from artifacts.confidence import Confidence
from artifacts.errors import ArtifactError

TERMS = AlsTerms(np.array([[2.0, 0.5], [0.5, 1.0]]), Confidence(3.0, "log"), 0.25)


def test_linear_confidence_is_that_of_the_paper():
    weights = np.array([0, 1, 2.5], dtype=np.float32)
    np.testing.assert_allclose(Confidence(4.0, "linear").of(weights), [1, 5, 11])


def test_logarithmic_confidence_grows_less_and_starts_at_one():
    weights = np.array([0, np.e - 1, 100])
    np.testing.assert_allclose(Confidence(4.0, "log").of(weights)[:2], [1, 5])
    assert Confidence(4.0, "log").of(weights)[2] < Confidence(4.0, "linear").of(weights)[2]


def test_opened_terms_are_those_saved(tmp_path):
    TERMS.save(tmp_path)
    opened = AlsTerms.open(tmp_path)
    np.testing.assert_array_equal(opened.gram, TERMS.gram)
    assert (opened.confidence, opened.regularisation) == (TERMS.confidence, 0.25)


@pytest.mark.parametrize("text", ["", "{}", '{"regularisation": 1, "confidence": {"beta": 1}}'])
def test_damaged_terms_are_refused(tmp_path, text):
    TERMS.save(tmp_path)
    (tmp_path / TERMS_NAME).write_text(text)
    with pytest.raises(ArtifactError, match="the fold-in cannot be opened"):
        AlsTerms.open(tmp_path)


def test_a_gram_matrix_that_is_not_square_is_refused(tmp_path):
    TERMS.save(tmp_path)
    np.save(tmp_path / GRAM_NAME, np.zeros((2, 3)))
    with pytest.raises(ArtifactError, match="expected a square"):
        AlsTerms.open(tmp_path)
