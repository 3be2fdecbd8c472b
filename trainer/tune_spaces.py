"""The spaces that can be tuned: how each is fitted and what it is scored by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ConfigError
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from trainer.als import fit_als
from trainer.checkpoints import Checkpoint, Checkpoints
from trainer.config import Prod2VecConfig
from trainer.content import fit_content
from trainer.content_config import ContentConfig
from trainer.image_space import train_images
from trainer.images_config import ImagesConfig
from trainer.interactions import read_interactions
from trainer.meta import fit_meta, read_columns
from trainer.meta_config import MetaConfig
from trainer.prod2vec import fit_prod2vec
from trainer.scratch import scratch_folder
from trainer.settings import Settings
from trainer.tune_score import LAST_OF_USERS, LAST_STEPS, Fitted, FittedTable, FittedUsers
from trainer.users_config import AlsConfig

IMAGE_CACHE = "image-cache"
"""Folder of picture features, which all trials share."""

Watch = Callable[[int, EmbeddingTable], None]
"""Told the epochs done and the vectors so far; may raise to end the training."""


class Fit(Protocol):
    """Fits a space."""

    def __call__(self, prepared: Prepared, config: Settings, parent: Path, watch: Watch) -> Fitted:
        """Return what was learnt; files for the while go below `parent`."""
        ...


@dataclass(frozen=True, slots=True)
class TunableSpace:
    """A space whose settings can be tuned.

    Attributes:
        name: of the space.
        settings: what its settings are where the shop file has none.
        fit: how it is learnt.
        protocol: what it is scored by, in words: scores of two protocols do not compare.
    """

    name: str
    settings: Settings
    fit: Fit
    protocol: str = LAST_STEPS


def tunable_space(name: str) -> TunableSpace:
    """Return the space `name`.

    Raises:
        ConfigError: there is none.
    """
    spaces = (
        TunableSpace("cf", Prod2VecConfig(), _fit_cf),
        TunableSpace("content", ContentConfig(), _fit_content),
        TunableSpace("image", ImagesConfig(), _fit_image),
        TunableSpace("meta", MetaConfig(), _fit_meta),
        TunableSpace("user", AlsConfig(), _fit_user, LAST_OF_USERS),
    )
    by_name = {space.name: space for space in spaces}
    if name not in by_name:
        raise ConfigError(
            f"tune: expected one of the spaces {sorted(by_name)}, or 'ranker', got {name!r}"
        )
    return by_name[name]


class _Watched(Checkpoints):
    """Shows the state that a training would keep to whoever watches it, and keeps nothing."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def latest(self) -> Checkpoint | None:
        """Return nothing to go on from."""
        return None

    def offer(self, epochs: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Show a copy of the vectors."""
        ascending = np.argsort(arrays["rows"])
        rows, vectors, outputs = (
            arrays[name][ascending] for name in ("rows", "vectors", "outputs")
        )
        self._watch(epochs, EmbeddingTable("cf", rows, vectors, outputs))


def _fit_cf(prepared: Prepared, config: Settings, parent: Path, watch: Watch) -> Fitted:
    assert isinstance(config, Prod2VecConfig), "bug: settings of another space"
    # Softmax keeps its state in another form; its trials run to their end.
    watched = None if config.softmax else _Watched(watch)
    progress = SilentProgress()
    return FittedTable(
        fit_prod2vec(prepared, config, parent, checkpoints=watched, progress=progress)
    )


def _fit_content(prepared: Prepared, config: Settings, parent: Path, watch: Watch) -> Fitted:
    # fastText trains in one call, so there is nothing to watch.
    assert isinstance(config, ContentConfig), "bug: settings of another space"
    with scratch_folder(parent) as scratch:
        folder = scratch / "content"
        folder.mkdir()
        return FittedTable(fit_content(prepared, config, folder, progress=SilentProgress()))


def _fit_image(prepared: Prepared, config: Settings, parent: Path, watch: Watch) -> Fitted:
    assert isinstance(config, ImagesConfig), "bug: settings of another space"
    shared = config.model_copy(update={"cache_dir": config.cache_dir or str(parent / IMAGE_CACHE)})
    with scratch_folder(parent) as scratch:
        root = VersionedRoot(scratch / "image")
        folder = train_images(prepared, shared, root, progress=SilentProgress())
        mapped = EmbeddingTable.open(folder, "image")
        return FittedTable(EmbeddingTable("image", np.array(mapped.rows), np.array(mapped.vectors)))


def _fit_meta(prepared: Prepared, config: Settings, parent: Path, watch: Watch) -> Fitted:
    assert isinstance(config, MetaConfig), "bug: settings of another space"
    columns = read_columns(prepared, config, parent)
    return FittedTable(fit_meta(prepared, columns, config, progress=SilentProgress()).table)


def _fit_user(prepared: Prepared, config: Settings, parent: Path, watch: Watch) -> Fitted:
    # The library's rounds end with half-solved users, which nobody would be served.
    assert isinstance(config, AlsConfig), "bug: settings of another space"
    interactions = read_interactions(prepared.train_sessions)
    return FittedUsers(interactions, fit_als(interactions, config, progress=SilentProgress()))
