from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.arrays import unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ArtifactError, DataError
from artifacts.manifest import read_manifest, verify
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from tests.made_pictures import COLOURS, write_pictures
from tests.made_sessions import prepare_sessions
from trainer.image_encoder import ENCODER_FOLDER, ImageEncoder
from trainer.image_space import REJECTED_NAME, train_images
from trainer.images_config import ImagesConfig

ITEMS = dict(zip("abcdefghi", [*COLOURS] * 3, strict=True))
WITHOUT = "z"

pytestmark = [
    pytest.mark.extras,
    # Keras hands its own variables to numpy in the way of numpy 1.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


class Stages(SilentProgress):
    """Notes the stages that ran, with what each said at its end."""

    def __init__(self) -> None:
        self.notes: dict[str, str] = {}
        self._stage = ""

    def start(self, stage: str, total: int | None = None) -> None:
        self._stage = stage

    def finish(self, note: str = "") -> None:
        self.notes[self._stage] = note


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Prepared:
    folder = tmp_path_factory.mktemp("shop")
    items = folder / "items.parquet"
    paths = [f"Things > {colour}" for colour in ITEMS.values()]
    pq.write_table(pa.table({"item_id": [*ITEMS], "path": paths}), items)
    sessions = [[*ITEMS, WITHOUT], [*reversed(ITEMS)]] * 5
    columns = {"category_path": "path"}
    return prepare_sessions(folder, sessions, items={"path": str(items), "columns": columns})


def settings(folder: Path, rows: list[tuple[str, str]], **changes: Any) -> ImagesConfig:
    """Write the table of pictures and return settings for small ones and random weights."""
    ids, paths = zip(*rows, strict=True)
    pq.write_table(pa.table({"item_id": ids, "path": paths}), folder / "table.parquet")
    return ImagesConfig.model_validate(
        {
            "table": str(folder / "table.parquet"),
            "folder": str(folder / "pictures"),
            "weights": "random",
            "size": 75,
            "dimensions": 6,
            "batch": 4,
            **changes,
        }
    )


def train(shop: Prepared, config: ImagesConfig, folder: Path) -> tuple[Path, dict[str, str]]:
    progress = Stages()
    version = train_images(shop, config, VersionedRoot(folder / "image"), progress=progress)
    return version, progress.notes


def test_items_of_one_colour_lie_together_and_the_folder_tells_what_was_not_taken(shop, tmp_path):
    rows = write_pictures(tmp_path / "pictures", ITEMS)
    (tmp_path / "pictures" / "empty.png").write_bytes(b"")
    (tmp_path / "pictures" / "text.png").write_bytes(b"no picture")
    bad = [("a", "empty.png"), ("b", "none.png"), ("c", "text.png"), ("nobody", "a-0.png")]
    version, _ = train(shop, settings(tmp_path, [*rows, *bad]), tmp_path)
    manifest = read_manifest(version, "embedding")
    verify(version, manifest)
    table = EmbeddingTable.open(version, "image")
    assert shop.items.ids(table.rows) == sorted(ITEMS)
    np.testing.assert_allclose(np.linalg.norm(table.vectors, axis=1), 1, atol=1e-5)
    cosines = table.vectors @ table.vectors.T - 2 * np.eye(9, dtype=np.float32)
    colours = np.array([ITEMS[id] for id in sorted(ITEMS)])
    assert (colours[cosines.argmax(axis=1)] == colours).all()
    rejected = pq.read_table(version / REJECTED_NAME).to_pylist()
    assert sorted((row["item_id"], row["path"]) for row in rejected) == sorted(bad)
    assert manifest.details["pictures"] == 18
    assert sum(manifest.details["refused"].values()) == 4


def test_the_encoder_gives_an_item_its_vector(shop, tmp_path):
    rows = write_pictures(tmp_path / "pictures", ITEMS)
    version, _ = train(shop, settings(tmp_path, rows), tmp_path)
    encoder = ImageEncoder.open(version / ENCODER_FOLDER, batch=4)
    contents = [(tmp_path / "pictures" / path).read_bytes() for item, path in rows if item == "a"]
    vectors, refusals = encoder.encode([*contents, b"no picture"])
    assert [refusal is None for refusal in refusals] == [True, True, False]
    assert not vectors[2].any()
    table = EmbeddingTable.open(version, "image")
    place = table.positions(np.array([shop.items.row("a")], dtype=np.int32))[0]
    # The table was made from features that were kept to half precision.
    mean = unit_rows(vectors[:2].mean(axis=0, keepdims=True))[0]
    np.testing.assert_allclose(mean, table.vectors[place], atol=5e-3)
    with pytest.raises(ArtifactError, match="no image encoder"):
        ImageEncoder.open(version)


def test_a_second_run_computes_nothing_and_new_pictures_only_themselves(shop, tmp_path):
    rows = write_pictures(tmp_path / "pictures", ITEMS)
    first, notes = train(shop, settings(tmp_path, rows[:-3]), tmp_path)
    assert notes["compute features"] == "15 computed, 15 in the cache"
    again, notes = train(shop, settings(tmp_path, rows[:-3]), tmp_path)
    assert again == first
    assert "compute features" not in notes
    more, notes = train(shop, settings(tmp_path, rows), tmp_path)
    assert more != first
    assert notes["compute features"] == "3 computed, 18 in the cache"


def test_an_interrupted_run_goes_on_where_it_stopped(shop, tmp_path, monkeypatch):
    rows = write_pictures(tmp_path / "pictures", ITEMS)
    monkeypatch.setattr("trainer.picture_features.SHARD_PICTURES", 5)
    config = settings(tmp_path, rows)

    class Interrupted(Stages):
        def advance(self, amount: int = 1) -> None:
            self.steps = getattr(self, "steps", 0) + (self._stage == "compute features")
            if self.steps == 5:  # batches of 4 and 1: in the middle of the third shard
                raise KeyboardInterrupt

    root = VersionedRoot(tmp_path / "image")
    with pytest.raises(KeyboardInterrupt):
        train_images(shop, config, root, progress=Interrupted())
    assert root.ids() == []
    version, notes = train(shop, config, tmp_path)
    assert notes["compute features"] == "8 computed, 18 in the cache"
    whole, _ = train(shop, config.model_copy(update={"cache_dir": str(tmp_path / "c")}), tmp_path)
    assert whole == version


def test_fine_tuning_is_kept_and_its_bottleneck_serves(shop, tmp_path):
    rows = write_pictures(tmp_path / "pictures", ITEMS)
    tuning = {"blocks": 1, "epochs": 1, "head_epochs": 5, "batch": 4, "heldout": 0.34}
    config = settings(tmp_path, rows, reduction="bottleneck", fine_tune=tuning, dimensions=4)
    version, notes = train(shop, config, tmp_path)
    assert "train blocks" in notes
    report = read_manifest(version, "embedding").details["fine_tuning"]
    assert report["classes"] == 3
    assert report["pictures"] + report["heldout"] == 18
    table = EmbeddingTable.open(version, "image")
    assert table.vectors.shape == (9, 4)
    # The same network by another reduction: what was tuned is taken from the cache.
    other, notes = train(shop, config.model_copy(update={"reduction": "pca"}), tmp_path)
    assert other != version
    assert "train blocks" not in notes
    assert notes["compute features"].startswith("0 computed")


def test_a_run_without_any_picture_says_why(shop, tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(DataError, match=r"no picture is left.*file is missing': 1"):
        train(shop, settings(tmp_path, [("a", "none.png")]), tmp_path)
    (tmp_path / "pictures" / "text.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"no picture is left.*known format': 1"):
        train(shop, settings(tmp_path, [("a", "text.png")]), tmp_path)
    assert VersionedRoot(tmp_path / "image").ids() == []
