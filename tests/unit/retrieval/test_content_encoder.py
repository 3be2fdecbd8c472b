from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from artifacts.content_encoder import ENCODER_FOLDER
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ArtifactError
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from retrieval.content_encoder import ContentEncoder, ProductText, open_encoder
from tests.made_texts import TOPICS, MadeItem, topic_items, topic_of, write_texts
from trainer.content import train_content
from trainer.content_config import ContentConfig

ODD = [
    MadeItem(None, "Fruit > Fruit shelf"),
    MadeItem("🎉🎂", None),
    MadeItem("apple " * 2_000, "Fruit", "Ω" * 10_000),
    MadeItem("  ", None, "Fresh apple and unseen-words"),
    MadeItem("Crème BRÛLÉE ½", "Dairy > हिन्दी"),
    MadeItem("hapax legomenon"),
]
ITEMS = [*topic_items(20), *ODD]
CONFIG = ContentConfig(dimensions=24, epochs=10, buckets=2_000, subsample=0, workers=1)


def train(folder: Path, config: ContentConfig) -> Path:
    prepared = write_texts(folder / "prepared", ITEMS)
    return train_content(
        prepared, config, VersionedRoot(folder / "content"), progress=SilentProgress()
    )


@pytest.fixture(
    scope="module",
    params=[
        {},
        {"weighting": "sif", "components": 2, "strip_accents": True},
        {"weighting": "mean", "components": 1, "min_count": 5, "min_n": 4, "max_n": 5},
    ],
    ids=["defaults", "sif", "mean of frequent words"],
)
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    return train(folder, CONFIG.model_copy(update=request.param))


@pytest.fixture
def encoder(trained):
    return ContentEncoder.open(trained / ENCODER_FOLDER)


@pytest.fixture
def table(trained):
    return EmbeddingTable.open(trained, "content")


def text_of(item: MadeItem) -> ProductText:
    return ProductText(item.title, item.path, item.description)


def test_every_item_is_encoded_to_the_vector_that_training_gave_it(encoder, table):
    trained = dict(zip(table.rows.tolist(), table.vectors, strict=True))
    for row, item in enumerate(ITEMS):
        vector = encoder.encode(text_of(item))
        if row in trained:
            np.testing.assert_allclose(vector, trained[row], atol=1e-6)
        else:
            assert vector is None


def test_an_unseen_product_is_nearest_to_its_topic(tmp_path):
    folder = train(tmp_path, CONFIG)
    encoder = ContentEncoder.open(folder / ENCODER_FOLDER)
    table = EmbeddingTable.open(folder, "content")
    topics = np.array(topic_of(ITEMS))[table.rows]
    for title, topic in [("Applesauce", "Fruit"), ("Buttermilk", "Dairy"), ("Hammers", "Tools")]:
        vector = encoder.encode(ProductText(title))
        assert vector is not None
        cosines = table.vectors @ vector
        assert topic == max(TOPICS, key=lambda other: cosines[topics == other].mean())


def test_vectors_have_length_one_in_float32(encoder):
    vector = encoder.encode(ProductText("neverseen Wörter 42", "Fruit > Neverseen", "и текст"))
    assert vector.dtype == np.float32
    assert vector.shape == (encoder.dim,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "text", [ProductText(), ProductText("", "", ""), ProductText("🎉 !!", " > ")]
)
def test_a_text_without_words_has_no_vector(encoder, text):
    assert encoder.encode(text) is None


def test_how_the_levels_of_a_path_are_joined_does_not_matter(encoder):
    first, second = (
        encoder.encode(ProductText("Apple", path)) for path in ("Fruit > Shelf", "fruit/shelf")
    )
    np.testing.assert_array_equal(first, second)


def test_threads_share_an_encoder(encoder):
    texts = [text_of(item) for item in ITEMS] * 5
    expected = [encoder.encode(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        for vector, alone in zip(pool.map(encoder.encode, texts), expected, strict=True):
            np.testing.assert_array_equal(vector, alone)


def test_a_folder_without_an_encoder_is_an_artifact_error(tmp_path):
    with pytest.raises(ArtifactError, match=r"encoder\.json"):
        ContentEncoder.open(tmp_path)


def test_a_snapshot_carries_the_encoder_of_its_space(tiny_snapshot):
    encoder = open_encoder(tiny_snapshot, "content")
    assert encoder is not None
    vector = encoder.encode(ProductText("Title of a new product", "Bakery > Shelf"))
    assert vector is not None
    assert vector.shape == (tiny_snapshot.spaces["content"].dim,)
    assert open_encoder(tiny_snapshot, "cf") is None
