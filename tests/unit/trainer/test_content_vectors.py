import numpy as np
import pytest
from numpy.typing import NDArray

from artifacts.content_encoder import FieldName
from tests.unit.trainer.test_content_weights import field_tokens
from trainer import content_vectors
from trainer.content_texts import CatalogTexts, FieldTokens
from trainer.content_vectors import TextEncoding

Vector = NDArray[np.float64]

TITLES: list[list[int]] = [[0, 1, 1], [], [2], [3, 4], [0, 4, 2], [], [1]]
PATHS: list[list[int]] = [[5], [5], [], [6, 5], [6], [], [6, 6]]


@pytest.fixture
def texts():
    fields: dict[FieldName, FieldTokens] = {
        "title": field_tokens(TITLES),
        "category_path": field_tokens(PATHS),
    }
    return CatalogTexts([f"word{number}" for number in range(7)], fields)


@pytest.fixture
def encoding():
    rng = np.random.default_rng(3)
    return TextEncoding(
        word_vectors=rng.normal(size=(7, 5)).astype(np.float32),
        word_weights={
            "title": rng.random(7, dtype=np.float32),
            "category_path": rng.random(7, dtype=np.float32),
        },
        field_weights={"title": 1.0, "category_path": 0.3},
    )


def unit(vector: Vector) -> Vector:
    length = np.linalg.norm(vector)
    return vector / length if length else vector


def twin(encoding: TextEncoding, title: list[int], path: list[int]) -> Vector:
    total = np.zeros(5)
    fields: dict[FieldName, list[int]] = {"title": title, "category_path": path}
    for name, tokens in fields.items():
        words = [
            float(encoding.word_weights[name][token]) * encoding.word_vectors[token].astype(float)
            for token in tokens
        ]
        total += encoding.field_weights[name] * unit(np.sum(words, axis=0) if words else 0 * total)
    return total


@pytest.mark.parametrize("block", [1, 3, 100])
def test_sums_equal_a_loop_over_words_whatever_the_block(texts, encoding, monkeypatch, block):
    monkeypatch.setattr(content_vectors, "ITEMS_AT_A_TIME", block)
    expected = [twin(encoding, *item) for item in zip(TITLES, PATHS, strict=True)]
    np.testing.assert_allclose(np.concatenate(list(encoding.sums(texts))), expected, atol=1e-12)


def test_components_are_the_first_singular_vectors(texts, encoding):
    sums = np.concatenate(list(encoding.sums(texts)))
    expected = np.linalg.svd(sums)[2][:2]
    found = encoding.principal_components(texts, 2)
    np.testing.assert_allclose(np.abs(np.sum(found * expected, axis=1)), 1, atol=1e-6)


def test_vectors_have_length_one_and_nothing_along_the_components(texts, encoding):
    components = encoding.principal_components(texts, 1)
    vectors = encoding.vectors(texts, components)
    with_text = texts.lengths > 0
    np.testing.assert_allclose(np.linalg.norm(vectors[with_text], axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors @ components.T, 0, atol=1e-6)
    assert not vectors[~with_text].any()


def test_a_text_that_is_nothing_but_component_has_no_vector(texts, encoding):
    alone = encoding.word_vectors[2].astype(float)
    components = (alone / np.linalg.norm(alone)).astype(np.float32)[np.newaxis]
    assert not encoding.vectors(texts, components)[2].any()
