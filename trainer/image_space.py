"""The stage `train`, space `image`: what products look like."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix, unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.manifest import Json, fingerprint
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.versions import VersionedRoot
from trainer.feature_cache import FeatureCache
from trainer.image_encoder import ENCODER_FOLDER, ImageEncoder
from trainer.images_config import INCEPTION_FEATURES, ImagesConfig
from trainer.inception import require_keras, weights_fingerprint
from trainer.picture_features import compute_features
from trainer.picture_files import PictureFiles, find_pictures
from trainer.picture_reader import PictureReader
from trainer.picture_refusals import RefusedPictures
from trainer.picture_table import read_picture_table
from trainer.projection import Projection, principal_components
from trainer.space_artifact import SpaceRecipe, store_space
from trainer.tuned_network import TunedNetwork, open_network

SPACE = "image"
REJECTED_NAME = "rejected.parquet"
CACHE_FOLDER = "cache"
BLOCK_PICTURES = 8_192


def train_images(
    prepared: Prepared, config: ImagesConfig, root: VersionedRoot, *, progress: Progress
) -> Path:
    """Embed the pictures of all items that have any, put the space in use, return its folder.

    Beside the table of the items the folder holds `encoder/`, which embeds pictures that nobody has
    seen (`trainer.image_encoder`), and `rejected.parquet`, every row of the table of pictures that
    was not taken, with the reason. Features are cached by the content of the files and the weights
    of the network: an interrupted run goes on, an unchanged one computes nothing, and new pictures
    cost only themselves unless the network is fine-tuned anew.

    Raises:
        BackendUnavailableError: the extra `images` is not installed.
        ConfigError: the table, a column or the weights are not to be had.
        DataError: no picture is left.

    Cost: one read of all files, then 6 billion multiply-adds a new picture; about 12 pictures a
    second on two cores.
    """
    require_keras()
    refused = RefusedPictures()
    table = read_picture_table(config, prepared.manifest.config)
    progress.start("find pictures", total=len(table))
    files = find_pictures(table, prepared.items, config, refused, progress=progress)
    progress.finish(f"{len(files):,} of {len(table):,} rows")
    _require_some(files, refused)
    cache = Path(config.cache_dir) if config.cache_dir else root.root / CACHE_FOLDER
    cache.mkdir(parents=True, exist_ok=True)
    stage = _Stage(prepared, PictureReader(files, config), refused, cache, progress)
    return store_space(stage.recipe(), root, stage.fit, progress=progress)


def _require_some(files: PictureFiles, refused: RefusedPictures) -> None:
    if not len(files):
        raise DataError(f"train.image: no picture is left to embed; refused: {refused.counts()}")


@dataclass(frozen=True, slots=True)
class _Stage:
    """One run: its steps share these."""

    prepared: Prepared
    reader: PictureReader
    refused: RefusedPictures
    cache: Path
    progress: Progress

    def recipe(self) -> SpaceRecipe:
        files, refused = self.reader.files, self.refused
        taken = [files.rows.tolist(), files.keys]
        listed = [refused.item_ids, refused.paths, [str(reason) for reason in refused.reasons]]
        return SpaceRecipe(
            space=SPACE,
            settings=self.reader.config.what_counts(),
            inputs={
                "prepared": self.prepared.manifest.id,
                "pictures": fingerprint([*taken, *listed]),
                "weights": weights_fingerprint(self.reader.config.weights),
            },
            packages=("jax", "keras", "numpy", "pillow"),
        )

    def fit(self, folder: Path) -> EmbeddingTable:
        config = self.reader.config
        tuned = open_network(self.reader, self.prepared.catalog, self.cache, progress=self.progress)
        store = FeatureCache(
            self.cache / f"features-{tuned.network.fingerprint}", INCEPTION_FEATURES
        )
        undecodable = compute_features(tuned.network, self.reader, store, progress=self.progress)
        files = self.reader.files.without(undecodable, self.refused)
        _require_some(files, self.refused)
        self.refused.write(folder / REJECTED_NAME)
        self.progress.start("reduce features")
        projection = _projection(files, store, tuned, config)
        encoder = ImageEncoder(tuned.network, projection, config.max_pixels)
        encoder.save(folder / ENCODER_FOLDER)
        table = _table(files, store, projection, self._lineage(files, tuned))
        self.progress.finish(f"{len(table):,} items, {table.dim} dimensions")
        return table

    def _lineage(self, files: PictureFiles, tuned: TunedNetwork) -> Json:
        return {
            "pictures": len(files),
            "refused": self.refused.counts(),
            "fine_tuning": tuned.report,
        }


def _projection(
    files: PictureFiles, store: FeatureCache, tuned: TunedNetwork, config: ImagesConfig
) -> Projection:
    if config.learns_reduction:
        assert tuned.bottleneck is not None, "bug: the settings ask for fine-tuning"
        return tuned.bottleneck
    return principal_components(_blocks(files, store), config.dimensions)


def _blocks(files: PictureFiles, store: FeatureCache) -> Iterator[FloatMatrix]:
    for start in range(0, len(files), BLOCK_PICTURES):
        yield store.features(files.keys[start : start + BLOCK_PICTURES])


def _table(
    files: PictureFiles, store: FeatureCache, projection: Projection, lineage: Json
) -> EmbeddingTable:
    """Average the unit vectors of the pictures of every item; the mean is made unit again."""
    vectors = np.concatenate([projection.apply(block) for block in _blocks(files, store)])
    rows, first = np.unique(files.rows, return_index=True)
    return EmbeddingTable(
        space=SPACE,
        rows=rows,
        vectors=unit_rows(np.add.reduceat(vectors, first, axis=0)),
        lineage=lineage,
    )
