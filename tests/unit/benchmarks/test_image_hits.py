from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.errors import ConfigError, DataError
from artifacts.progress import SilentProgress
from benchmarks.image_data import ImageData, read_image_data
from benchmarks.image_hits import neighbour_hits
from tests.made_pictures import drawn, encoded
from trainer.images_config import ImagesConfig

PATHS = {"a": "Fruit > Apple", "b": "Fruit > Apple", "c": "Fruit > Pear", "d": "Milk"}
EACH = 10


def write_data(folder: Path) -> Path:
    """Write one posed picture and ten photographs of every product."""
    rows = []
    for number, (item, path) in enumerate(PATHS.items()):
        for copy in range(EACH + 1):
            name = f"{item}-{copy}.png"
            image = drawn("red", seed=100 * number + copy, size=(10, 10))
            (folder / name).write_bytes(encoded(image))
            rows.append((name, item, "natural" if copy else "iconic", path))
    columns = dict(
        zip(("path", "item_id", "kind", "category_path"), zip(*rows, strict=True), strict=True)
    )
    pq.write_table(pa.table(columns), folder / "images.parquet")
    return folder


def read(folder: Path, share: float = 0.3, seed: int = 0) -> ImageData:
    return read_image_data(
        folder, ImagesConfig(), share=share, seed=seed, progress=SilentProgress()
    )


@pytest.fixture
def data(tmp_path: Path) -> ImageData:
    return read(write_data(tmp_path))


def test_queries_are_the_same_share_of_every_product_and_never_posed(data, tmp_path):
    assert np.bincount(data.files.rows[data.queries]).tolist() == [3, 3, 3, 3]
    assert not (data.queries & data.posed).any()
    assert data.posed.sum() == 4
    assert (read(tmp_path).queries == data.queries).all()
    assert (read(tmp_path, seed=1).queries != data.queries).any()


def test_a_benchmark_does_not_shrink_in_silence(tmp_path):
    write_data(tmp_path)
    (tmp_path / "a-3.png").unlink()
    with pytest.raises(DataError, match="file is missing': 1"):
        read(tmp_path)
    (tmp_path / "images.parquet").unlink()
    with pytest.raises(ConfigError, match="expected a table with columns"):
        read(tmp_path)


def test_hits_are_those_of_a_plain_loop(data):
    vectors = np.random.default_rng(0).normal(size=(44, 6)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    rows, paths = data.files.rows, data.paths
    gallery = np.flatnonzero(~data.queries)
    expected: dict[str, list[bool]] = {name: [] for name in neighbour_hits(vectors, data)}
    for query in np.flatnonzero(data.queries).tolist():

        def nearest(places: np.ndarray, query: int = query) -> int:
            return max(places.tolist(), key=lambda place: float(unit[place] @ unit[query]))

        means = [unit[[p for p in gallery if rows[p] == row]].mean(axis=0) for row in range(4)]
        item = max(range(4), key=lambda row: means[row] @ unit[query] / np.linalg.norm(means[row]))
        others = gallery[rows[gallery] != rows[query]]
        expected["path_at_1"].append(paths[nearest(gallery)] == paths[query])
        expected["item_at_1"].append(rows[nearest(gallery)] == rows[query])
        expected["path_of_item_at_1"].append([*PATHS.values()][item] == paths[query])
        posed = gallery[data.posed[gallery]]
        expected["path_of_posed_at_1"].append(paths[nearest(posed)] == paths[query])
        if paths[query] in paths[others]:
            expected["path_of_other_at_1"].append(paths[nearest(others)] == paths[query])
    found = neighbour_hits(vectors, data)
    assert {name: hits.tolist() for name, hits in found.items()} == expected
    assert len(found["path_of_other_at_1"]) == 6


def test_photographs_of_one_product_alone_do_not_make_other_products_alike(data):
    of_item = np.eye(4, dtype=np.float32)[data.files.rows]
    hits = neighbour_hits(of_item, data)
    assert hits["item_at_1"].all()
    assert hits["path_of_item_at_1"].all()
    of_path = np.unique(data.paths, return_inverse=True)[1]
    alike = neighbour_hits(np.eye(3, dtype=np.float32)[of_path], replace(data))
    assert alike["path_of_other_at_1"].all()
