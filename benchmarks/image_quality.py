"""Do pictures of one kind of product lie together: before and after fine-tuning on the gallery."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artifacts.arrays import FloatMatrix, unit_rows
from artifacts.progress import Progress
from benchmarks.image_data import ImageData
from benchmarks.machine import describe_machine
from benchmarks.results import Result
from trainer.bootstrap import Bootstrap
from trainer.config import EvaluateConfig
from trainer.feature_cache import FeatureCache
from trainer.images_config import INCEPTION_FEATURES, FineTuneConfig, ImagesConfig
from trainer.inception import weights_fingerprint
from trainer.picture_features import compute_features
from trainer.picture_files import PictureFiles
from trainer.picture_reader import PictureReader
from trainer.picture_refusals import Refusal
from trainer.projection import principal_components
from trainer.tuned_network import TunedNetwork, open_network

SUITE = "images"
THUMBNAIL = 32
"""Side of the thumbnails whose pixels are the baseline."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """Vectors of all photographs by one method, and which queries they answer rightly.

    Attributes:
        name: of the method.
        hits: (q, 3) of 0 and 1: nearest gallery photograph is of the same category path; of the
            same product; nearest product, as the mean of its gallery photographs, is of the same
            category path.
        report: what fine-tuning came to.
    """

    name: str
    hits: NDArray[np.float64]
    report: dict[str, Any]


METRICS = ("path_at_1", "item_at_1", "path_of_item_at_1")


def measure_image_quality(
    data: ImageData, config: ImagesConfig, cache: Path, *, now: datetime, progress: Progress
) -> list[Result]:
    """Find the nearest gallery photograph of every query by each method.

    Nothing but the gallery is fitted or trained on. Intervals are percentile bootstraps over the
    queries, 95 %; `gain` is the paired difference to the untuned principal components.

    Args:
        data: photographs with their split.
        config: of the image space, `fine_tune` included.
        cache: folder of features and tuned networks.
        now: time of the measurement.
        progress: told of each stage.

    Returns:
        one result a method: pixels, untuned and tuned features, each whole and reduced.
    """
    methods = list(_methods(data, config, cache, progress))
    reference = next(at for at, method in enumerate(methods) if method.name == "untuned, pca")
    bootstraps = [
        Bootstrap.of(np.stack([method.hits[:, at] for method in methods], axis=1), EvaluateConfig())
        for at in range(len(METRICS))
    ]
    return [
        Result(
            suite=SUITE,
            name=method.name,
            measured_at=now,
            machine=describe_machine(),
            data=data.name,
            config=_settings(data, config, method),
            metrics=_metrics(bootstraps, place, reference),
        )
        for place, method in enumerate(methods)
    ]


def _methods(
    data: ImageData, config: ImagesConfig, cache: Path, progress: Progress
) -> Iterator[_Judged]:
    reader = PictureReader(data.files, config)
    yield _judge("raw pixels", _thumbnails(reader, progress), data, {})
    for name, settings in _networks(config):
        gallery = PictureReader(_only(data.files, ~data.queries), settings)
        tuned = open_network(gallery, data.catalog, cache, progress=progress)
        features = _features(tuned, reader, cache, progress)
        yield _judge(f"{name}, 2048 features", features, data, tuned.report)
        pca = principal_components([features[~data.queries]], config.dimensions)
        yield _judge(f"{name}, pca", pca.apply(features), data, tuned.report)
        if tuned.bottleneck is not None:
            reduced = tuned.bottleneck.apply(features)
            yield _judge(f"{name}, bottleneck", reduced, data, tuned.report)


def _networks(config: ImagesConfig) -> list[tuple[str, ImagesConfig]]:
    untuned = config.model_copy(update={"fine_tune": None})
    return [("untuned", untuned), *([("tuned", config)] if config.fine_tune else [])]


def _only(files: PictureFiles, kept: NDArray[np.bool_]) -> PictureFiles:
    places = np.flatnonzero(kept)
    return replace(
        files,
        rows=files.rows[places],
        item_ids=[files.item_ids[place] for place in places],
        paths=[files.paths[place] for place in places],
        keys=[files.keys[place] for place in places],
    )


def _features(
    tuned: TunedNetwork, reader: PictureReader, cache: Path, progress: Progress
) -> FloatMatrix:
    store = FeatureCache(cache / f"features-{tuned.network.fingerprint}", INCEPTION_FEATURES)
    compute_features(tuned.network, reader, store, progress=progress)
    return store.features(reader.files.keys)


def _thumbnails(reader: PictureReader, progress: Progress) -> FloatMatrix:
    """Return (p, 3072) pixels of small copies, less the mean of each."""
    progress.start("read pixels", total=len(reader.files))
    pixels = np.empty((len(reader.files), 3 * THUMBNAIL**2), dtype=np.float32)
    for place in range(len(pixels)):
        picture = reader.read(place)
        assert not isinstance(picture, Refusal), "bug: a refused photograph among the data"
        small = Image.fromarray(picture).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
        pixels[place] = np.asarray(small, dtype=np.float32).ravel()
        progress.advance()
    progress.finish()
    centred: FloatMatrix = pixels - pixels.mean(axis=1, keepdims=True)
    return centred


def _judge(name: str, vectors: FloatMatrix, data: ImageData, report: dict[str, Any]) -> _Judged:
    unit, rows, paths, asked = unit_rows(vectors), data.files.rows, data.paths, data.queries
    queries, gallery = unit[asked], unit[~asked]
    nearest = np.flatnonzero(~asked)[(queries @ gallery.T).argmax(axis=1)]
    items, first = np.unique(rows[~asked], return_index=True)
    means = unit_rows(np.add.reduceat(gallery, first, axis=0))
    paths_of_items = paths[~asked][first]
    nearest_item = (queries @ means.T).argmax(axis=1)
    assert len(items) == len(means), "bug: a product without a mean"
    hits = (
        paths[nearest] == paths[asked],
        rows[nearest] == rows[asked],
        paths_of_items[nearest_item] == paths[asked],
    )
    return _Judged(name, np.stack(hits, axis=1).astype(np.float64), report)


def _metrics(bootstraps: list[Bootstrap], place: int, reference: int) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for name, bootstrap in zip(METRICS, bootstraps, strict=True):
        for suffix, value in zip(("", "_low", "_high"), bootstrap.interval(place), strict=True):
            metrics[name + suffix] = value
    gains = bootstraps[0].difference(place, reference)
    for suffix, value in zip(("", "_low", "_high"), gains, strict=True):
        metrics[f"path_at_1_gain{suffix}"] = value
    return metrics


def _settings(data: ImageData, config: ImagesConfig, method: _Judged) -> dict[str, Any]:
    tuned = config.fine_tune or FineTuneConfig()
    return {
        "queries": int(data.queries.sum()),
        "gallery": int((~data.queries).sum()),
        "weights": weights_fingerprint(config.weights),
        "size": config.size,
        "dimensions": config.dimensions,
        "fine_tune": tuned.model_dump(mode="json") if method.report else None,
        "tuning": method.report,
        "versions": {name: version(name) for name in ("jax", "keras", "pillow")},
    }
