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

from artifacts.arrays import FloatMatrix
from artifacts.progress import Progress
from benchmarks.image_data import ImageData
from benchmarks.image_hits import Hits, neighbour_hits
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
    """Which queries one method answers rightly.

    Attributes:
        name: of the method.
        hits: by metric, 0 or 1 for every query that the metric is defined for.
        report: what fine-tuning came to.
    """

    name: str
    hits: dict[str, Hits]
    report: dict[str, Any]

    @classmethod
    def of(
        cls, name: str, vectors: FloatMatrix, data: ImageData, report: dict[str, Any]
    ) -> "_Judged":
        return cls(name, neighbour_hits(vectors, data), report)


def measure_image_quality(
    data: ImageData, config: ImagesConfig, cache: Path, *, now: datetime, progress: Progress
) -> list[Result]:
    """Find the nearest gallery photograph of every query by each method.

    Nothing but the gallery is fitted or trained on. The metrics are those of
    `benchmarks.image_hits`; intervals are percentile bootstraps over the queries, 95 %; `_gain` is
    the paired difference to the untuned principal components.

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
    bootstraps = {
        metric: _bootstrap([method.hits[metric] for method in methods])
        for metric in methods[0].hits
    }
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
    yield _Judged.of("raw pixels", _thumbnails(reader, progress), data, {})
    for name, settings in _networks(config):
        gallery = PictureReader(_only(data.files, ~data.queries), settings)
        tuned = open_network(gallery, data.catalog, cache, progress=progress)
        features = _features(tuned, reader, cache, progress)
        yield _Judged.of(f"{name}, 2048 features", features, data, tuned.report)
        pca = principal_components([features[~data.queries]], config.dimensions)
        yield _Judged.of(f"{name}, pca", pca.apply(features), data, tuned.report)
        if tuned.bottleneck is not None:
            reduced = tuned.bottleneck.apply(features)
            yield _Judged.of(f"{name}, bottleneck", reduced, data, tuned.report)


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


def _bootstrap(hits: list[Hits]) -> Bootstrap:
    return Bootstrap.of(np.stack(hits, axis=1).astype(np.float64), EvaluateConfig())


def _metrics(bootstraps: dict[str, Bootstrap], place: int, reference: int) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for name, bootstrap in bootstraps.items():
        gain = bootstrap.difference(place, reference)
        for kind, interval in (("", bootstrap.interval(place)), ("_gain", gain)):
            for suffix, value in zip(("", "_low", "_high"), interval, strict=True):
                metrics[f"{name}{kind}{suffix}"] = round(value, 4)
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
