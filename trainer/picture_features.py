"""Compute the features of pictures that the cache does not hold yet."""

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.progress import Progress
from trainer.feature_cache import FeatureCache
from trainer.images_config import INCEPTION_FEATURES
from trainer.inception import Inception
from trainer.picture_reader import PictureReader
from trainer.picture_refusals import Refusal

SHARD_PICTURES = 256
"""Pictures that an interruption loses at most: half a minute's work on one core."""


def compute_features(
    network: Inception, reader: PictureReader, cache: FeatureCache, *, progress: Progress
) -> dict[str, Refusal]:
    """Bring every picture of `reader` into `cache`, and return the keys that are refused.

    Files of equal content are computed once. What a run computes is kept, so that the next run goes
    on from there.

    Args:
        network: what the cache belongs to.
        reader: the pictures.
        cache: gets a shard at a time.
        progress: gets a step a picture that is taken.
    """
    place_of = {key: place for place, key in enumerate(reader.files.keys)}
    missing = cache.missing(reader.files.keys)
    refused: dict[str, Refusal] = {}
    progress.start("compute features", total=len(missing))
    for start in range(0, len(missing), SHARD_PICTURES):
        places = [place_of[key] for key in missing[start : start + SHARD_PICTURES]]
        keys, features = _compute(network, reader, places, refused, progress)
        if keys:
            cache.add(keys, features)
    progress.finish(f"{len(missing) - len(refused):,} computed, {len(cache):,} in the cache")
    return refused


def _compute(
    network: Inception,
    reader: PictureReader,
    places: list[int],
    refused: dict[str, Refusal],
    progress: Progress,
) -> tuple[list[str], FloatMatrix]:
    keys: list[str] = []
    blocks = [np.empty((0, INCEPTION_FEATURES), dtype=np.float32)]
    for kept, pictures in reader.batches(places, reader.config.batch, refused):
        if pictures:
            blocks.append(network.features(np.stack(pictures)))
        keys += [reader.files.keys[place] for place in kept]
        progress.advance(len(kept))
    return keys, np.concatenate(blocks)
