"""Photographs with known products and categories, split into a gallery and queries."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.catalog import Catalog, write_catalog
from artifacts.errors import ConfigError, DataError
from artifacts.manifest import file_checksum
from artifacts.progress import Progress
from artifacts.vocabulary import write_vocabulary
from trainer.images_config import ImagesConfig
from trainer.picture_files import PictureFiles, find_pictures
from trainer.picture_refusals import RefusedPictures

COLUMNS = ("path", "item_id", "kind", "category_path")
QUERY_KIND = "natural"


@dataclass(frozen=True, slots=True)
class ImageData:
    """p photographs in the order of their item's row.

    Attributes:
        name: readable name with the fingerprint of the table.
        files: the photographs; rows are rows of `catalog`.
        catalog: category path of every item.
        queries: (p,) True for photographs that nothing is fitted or trained on.
        posed: (p,) True for pictures of a product alone, as a shop shows it; never queries.
    """

    name: str
    files: PictureFiles
    catalog: Catalog
    queries: NDArray[np.bool_]
    posed: NDArray[np.bool_]

    @property
    def paths(self) -> NDArray[np.str_]:
        """Category path of every photograph, (p,)."""
        return np.array([self.catalog.category_paths[int(row)] or "" for row in self.files.rows])


def read_image_data(
    folder: Path, config: ImagesConfig, *, share: float, seed: int, progress: Progress
) -> ImageData:
    """Read `images.parquet` of `folder` and draw the queries.

    Args:
        folder: holds the table with columns path, item_id, kind and category_path.
        config: limits of files; its table and folder are not used.
        share: of the photographs of kind `natural` of every product that become queries.
        seed: of the draw.
        progress: gets a step a photograph.

    Raises:
        ConfigError: the table is not there or lacks a column.
        DataError: a photograph is missing or damaged, since a benchmark must not shrink in silence.
    """
    table = folder / "images.parquet"
    try:
        columns = {name: pq.read_table(table).column(name).to_pylist() for name in COLUMNS}
    except (OSError, KeyError) as error:
        raise ConfigError(f"{table}: expected a table with columns {COLUMNS}: {error}") from error
    of_item = dict(zip(columns["item_id"], columns["category_path"], strict=True))
    rows = list(zip(columns["item_id"], columns["path"], strict=True))
    with TemporaryDirectory() as scratch:
        items = write_vocabulary(Path(scratch) / "items", list(of_item))
        catalog = _catalog(Path(scratch) / "catalog", list(of_item.values()))
        refused = RefusedPictures()
        config = config.model_copy(update={"folder": str(folder)})
        progress.start("read photographs", total=len(rows))
        files = find_pictures(rows, items, config, refused, progress=progress)
        progress.finish(f"{len(files):,}")
    if len(refused):
        raise DataError(f"{folder}: photographs were refused: {refused.counts()}")
    kinds = dict(zip(columns["path"], columns["kind"], strict=True))
    natural = np.array([kinds[path] == QUERY_KIND for path in files.paths])
    name = f"{folder.name} {len(files)} {file_checksum(table)}"
    queries = _draw(files.rows, natural, share, seed)
    return ImageData(name, files, catalog, queries, posed=~natural)


def _catalog(folder: Path, category_paths: list[str]) -> Catalog:
    count = len(category_paths)
    return write_catalog(
        folder,
        titles=[None] * count,
        category_paths=category_paths,
        top_categories=[None] * count,
        brands=[None] * count,
        prices=np.full(count, np.nan, dtype=np.float32),
        popularity=np.zeros(count, dtype=np.int32),
    )


def _draw(
    rows: IntVector, natural: NDArray[np.bool_], share: float, seed: int
) -> NDArray[np.bool_]:
    rng = np.random.default_rng(seed)
    queries = np.zeros(len(rows), dtype=np.bool_)
    for row in np.unique(rows):
        places = np.flatnonzero(natural & (rows == row))
        queries[rng.choice(places, round(share * len(places)), replace=False)] = True
    return queries
