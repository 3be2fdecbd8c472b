from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.manifest import read_manifest, verify
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from tests.made_texts import MadeItem, topic_items, topic_of, write_texts
from trainer.content import train_content
from trainer.content_config import ContentConfig, FieldConfig

NO_PATH = FieldConfig(weight=0, max_tokens=1)
CONFIG = ContentConfig(dimensions=24, epochs=20, buckets=2_000, subsample=0, workers=1)
EACH = 40


def train(
    tmp_path: Path, items: Sequence[MadeItem], config: ContentConfig = CONFIG
) -> tuple[Path, EmbeddingTable]:
    """Return folder and table of the vectors of these texts."""
    prepared = write_texts(tmp_path / "prepared", items)
    root = VersionedRoot(tmp_path / "content")
    folder = train_content(prepared, config, root, progress=SilentProgress())
    return folder, EmbeddingTable.open(folder, "content")


def nearest(vectors: FloatMatrix) -> NDArray[np.intp]:
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    found: NDArray[np.intp] = cosines.argmax(axis=1)
    return found


@pytest.mark.parametrize("weighting", ["idf", "sif", "mean"])
def test_items_of_one_topic_lie_together_by_their_titles_alone(tmp_path, weighting):
    items = topic_items(EACH)
    config = CONFIG.model_copy(update={"category_path": NO_PATH, "weighting": weighting})
    _, table = train(tmp_path, items, config)
    topics = np.array(topic_of(items))
    assert np.mean(topics[nearest(table.vectors)] == topics) > 0.97
    cosines = table.vectors @ table.vectors.T
    same = topics[:, np.newaxis] == topics
    assert cosines[same].mean() > cosines[~same].mean() + 0.2


def test_every_vector_has_length_one(tmp_path):
    _, table = train(tmp_path, topic_items(10))
    np.testing.assert_allclose(np.linalg.norm(table.vectors, axis=1), 1, atol=1e-6)
    assert table.rows.tolist() == list(range(40))
    assert table.outputs is None


def test_one_worker_and_a_seed_give_the_same_bytes(tmp_path):
    items = topic_items(10)
    first, second = (train(tmp_path / name, items)[1] for name in "ab")
    np.testing.assert_array_equal(first.vectors, second.vectors)


def test_an_unchanged_run_ends_with_the_version_that_is_there(tmp_path):
    prepared = write_texts(tmp_path / "prepared", topic_items(10))
    root = VersionedRoot(tmp_path / "content")
    first, second = (
        train_content(prepared, CONFIG, root, progress=SilentProgress()) for _ in range(2)
    )
    assert first == second
    assert root.ids() == [first.name]


def test_untitled_items_get_the_vector_of_their_category(tmp_path):
    items = [*topic_items(20), MadeItem(None, "Fruit > Fruit shelf"), MadeItem("", "Fruit")]
    _, table = train(tmp_path, items)
    assert len(table) == len(items)
    fruit, tools = table.vectors[:20], table.vectors[40:60]
    for untitled in table.vectors[-2:]:
        assert (fruit @ untitled).min() > (tools @ untitled).max()


def test_problems_are_counted_and_listed(tmp_path):
    odd = [
        MadeItem(None, "Fruit"),
        MadeItem("🎉🎂", None),
        MadeItem("apple " * 2_000, "Fruit"),
        MadeItem("Ω" * 10_000, None),
        MadeItem("  ", None, "fresh apple juice"),
    ]
    folder, table = train(tmp_path, [*topic_items(10), *odd])
    rows = {40: "no title", 41: "no vector", 42: "title cut", 43: "title cut", 44: "no title"}
    listed = pq.read_table(folder / "text_problems.parquet").to_pylist()
    assert {entry["row"]: entry["problem"] for entry in listed if entry["row"] != 41} == {
        row: problem for row, problem in rows.items() if row != 41
    }
    assert [entry["problem"] for entry in listed if entry["item_id"] == "item-0041"] == [
        "no title",
        "no vector",
    ]
    manifest = read_manifest(folder, "embedding")
    assert manifest.details["problems"] == {"no title": 3, "no vector": 1, "title cut": 2}
    assert sorted(set(range(45)) - set(table.rows.tolist())) == [41]


def test_the_folder_is_sealed_with_encoder_and_settings(tmp_path):
    folder, _ = train(tmp_path, topic_items(10))
    manifest = read_manifest(folder, "embedding")
    verify(folder, manifest)
    assert "encoder/subword_vectors.npy" in manifest.files
    assert manifest.config == CONFIG.model_dump(mode="json")
    assert manifest.details["items"] == 40


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([MadeItem(), MadeItem("!!"), MadeItem("")], "items with text .* none among 3"),
        ([MadeItem("Tea")] * 5, "different texts .* all 5 items"),
        ([MadeItem("Tea"), MadeItem("TEA!"), MadeItem()], "different texts .* all 2 items"),
        ([MadeItem("one"), MadeItem("two")], "words that occur 2 times"),
    ],
)
def test_texts_that_teach_nothing_are_an_error_and_leave_nothing(tmp_path, items, message):
    with pytest.raises(DataError, match=message):
        train(tmp_path, items)
    assert list((tmp_path / "content").iterdir()) == []


def test_a_catalogue_without_titles_is_told_by_its_paths(tmp_path):
    items = [MadeItem(None, item.path) for item in topic_items(5)]
    folder, table = train(tmp_path, items)
    assert len(table) == 20
    assert read_manifest(folder, "embedding").details["problems"] == {"no title": 20}
