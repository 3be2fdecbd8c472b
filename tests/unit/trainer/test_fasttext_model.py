from pathlib import Path

import numpy as np
import pytest

from artifacts.errors import DataError
from artifacts.progress import SilentProgress
from tests.made_texts import MadeItem, topic_items, write_texts
from tests.reference_fasttext import ReferenceBuckets
from trainer.content_config import ContentConfig
from trainer.content_texts import CatalogTexts, read_texts
from trainer.fasttext_model import FasttextModel, train_fasttext

CONFIG = ContentConfig(dimensions=16, epochs=2, buckets=500, min_count=2, workers=1)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    items = [*topic_items(20), MadeItem("hapax")]
    catalog = write_texts(tmp_path_factory.mktemp("made") / "prepared", items).catalog
    return read_texts(catalog, CONFIG)


def train(texts: CatalogTexts, folder: Path, config: ContentConfig = CONFIG) -> FasttextModel:
    return train_fasttext(texts, config, folder, progress=SilentProgress())


def test_unknown_words_are_the_mean_of_the_subwords_of_the_reference(texts, tmp_path):
    model = train(texts, tmp_path)
    buckets = ReferenceBuckets(tmp_path, min_n=CONFIG.min_n, max_n=CONFIG.max_n, buckets=500)
    words = ["hapax", "neverseen", "ы", "हिन्दी", "鞋子", "a"]
    expected = [model.subword_vectors[buckets.of(word)].mean(axis=0) for word in words]
    np.testing.assert_allclose(model.vectors(words), expected, atol=1e-6)


def test_words_are_those_that_occur_often_enough(texts, tmp_path):
    model = train(texts, tmp_path)
    often = {word for word, count in zip(texts.words, texts.word_counts, strict=True) if count >= 2}
    assert set(model.words) == often
    assert "hapax" in texts.words
    assert "hapax" not in model.words


def test_words_of_one_topic_grow_alike(texts, tmp_path):
    model = train(texts, tmp_path, CONFIG.model_copy(update={"epochs": 30, "subsample": 0}))
    apple, banana, hammer = model.vectors(["apple", "banana", "hammer"])
    assert apple @ banana > apple @ hammer


def test_one_worker_and_a_seed_give_the_same_bytes(texts, tmp_path):
    first, second = (train(texts, tmp_path) for _ in range(2))
    np.testing.assert_array_equal(first.subword_vectors, second.subword_vectors)
    np.testing.assert_array_equal(first.vectors(texts.words), second.vectors(texts.words))
    other = train(texts, tmp_path, CONFIG.model_copy(update={"seed": 2}))
    assert not np.array_equal(first.subword_vectors, other.subword_vectors)


def test_texts_without_a_frequent_word_are_refused(texts, tmp_path):
    with pytest.raises(DataError, match="words that occur 1000 times"):
        train(texts, tmp_path, CONFIG.model_copy(update={"min_count": 1000}))
