"""The network that an image space is computed by: as it comes, or taught the shop's categories."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from artifacts.catalog import Catalog
from artifacts.folders import remove_stale_staging, staged_folder
from artifacts.manifest import Json, fingerprint
from artifacts.progress import Progress
from trainer.images_config import ImagesConfig
from trainer.inception import FixedBatch, Inception, scaled
from trainer.inception_lesson import prepare_lesson
from trainer.inception_tuning import Tuning, tune
from trainer.picture_classes import PictureClasses, choose_classes
from trainer.picture_reader import PictureReader
from trainer.projection import Projection
from trainer.scratch import scratch_folder

NETWORK_NAME = "network.weights.h5"
REPORT_NAME = "tuning.json"


@dataclass(frozen=True, slots=True)
class TunedNetwork:
    """A network, and what came with it if it was tuned.

    Attributes:
        network: computes features.
        bottleneck: learned reduction, None without fine-tuning.
        report: what fine-tuning came to; empty without.
    """

    network: Inception
    bottleneck: Projection | None
    report: Json


def open_network(
    reader: PictureReader, catalog: Catalog, cache: Path, *, progress: Progress
) -> TunedNetwork:
    """Open the network of the settings, fine-tune it if they say so, and keep the result in `cache`.

    A network that was tuned by equal settings on equal pictures is taken from the cache, so that an
    interrupted run need not learn twice.

    Raises:
        BackendUnavailableError: the extra `images` is not installed.
        ConfigError: the weights are not to be had.
        DataError: there are not two classes to learn.
    """
    config = reader.config
    network = _open(config, config.weights)
    if config.fine_tune is None:
        return TunedNetwork(network, None, {})
    classes = choose_classes(reader.files.rows, catalog, config.fine_tune)
    folder = cache / f"tuned-{_name(network, reader, classes)}"
    if not folder.exists():
        remove_stale_staging(cache)
        tuning = _tune(network, reader, classes, cache, progress)
        with staged_folder(folder) as staged:
            network.save(staged / NETWORK_NAME)
            tuning.bottleneck.save(staged)
            report = _report(tuning, classes)
            (staged / REPORT_NAME).write_text(json.dumps(report, indent=2), "utf-8")
    return TunedNetwork(
        network=_open(config, str(folder / NETWORK_NAME)),
        bottleneck=Projection.open(folder),
        report=json.loads((folder / REPORT_NAME).read_bytes()),
    )


def _open(config: ImagesConfig, weights: str) -> Inception:
    return Inception.open(weights, size=config.size, batch=config.batch, seed=config.seed)


def _name(network: Inception, reader: PictureReader, classes: PictureClasses) -> str:
    keys, config = reader.files.keys, reader.config
    assert config.fine_tune is not None, "bug: fine-tuning without its settings"
    return fingerprint(
        {
            "network": network.fingerprint,
            "settings": config.fine_tune.model_dump(mode="json"),
            "dimensions": config.dimensions,
            "training": [keys[place] for place in classes.training],
            "training_classes": classes.training_classes.tolist(),
            "heldout": [keys[place] for place in classes.heldout],
            "heldout_classes": classes.heldout_classes.tolist(),
        }
    )


def _tune(
    network: Inception,
    reader: PictureReader,
    classes: PictureClasses,
    cache: Path,
    progress: Progress,
) -> Tuning:
    config = reader.config
    assert config.fine_tune is not None, "bug: fine-tuning without its settings"
    trunk, tail = network.split(config.fine_tune.blocks)
    run = FixedBatch(trunk, config.batch)
    with scratch_folder(cache) as scratch:
        progress.start("prepare fine-tuning")
        lesson = prepare_lesson(
            lambda pictures: run(scaled(pictures)), reader, classes, scratch, progress=progress
        )
        progress.finish(f"{len(lesson.classes):,} pictures, {len(classes.names):,} classes")
        return tune(tail, lesson, config.fine_tune, dimensions=config.dimensions, progress=progress)


def _report(tuning: Tuning, classes: PictureClasses) -> Json:
    return {
        "classes": len(classes.names),
        "pictures": tuning.pictures,
        "heldout": tuning.heldout,
        "head": asdict(tuning.head),
        "blocks": asdict(tuning.blocks),
    }
