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
from trainer.checkpoints import Checkpoint, Checkpoints
from trainer.config import Prod2VecConfig
from trainer.content import fit_content
from trainer.content_config import ContentConfig
from trainer.prod2vec import fit_prod2vec
from trainer.scratch import scratch_folder
from trainer.settings import Settings

Watch = Callable[[int, EmbeddingTable], None]
"""Told the epochs done and the vectors so far; may raise to end the training."""


class Fit(Protocol):
    """Fits a space."""

    def __call__(
        self, prepared: Prepared, config: Settings, parent: Path, watch: Watch
    ) -> EmbeddingTable:
        """Return the vectors; files for the while go below `parent`."""
        ...


@dataclass(frozen=True, slots=True)
class TunableSpace:
    """A space whose settings can be tuned.

    Attributes:
        name: of the space.
        settings: what its settings are where the shop file has none.
        fit: how it is learnt.
    """

    name: str
    settings: Settings
    fit: Fit


def tunable_space(name: str) -> TunableSpace:
    """Return the space `name`.

    Raises:
        ConfigError: there is none, or it cannot be tuned.
    """
    spaces = {
        "cf": TunableSpace("cf", Prod2VecConfig(), _fit_cf),
        "content": TunableSpace("content", ContentConfig(), _fit_content),
    }
    if name not in spaces:
        raise ConfigError(f"tune: expected one of the spaces {sorted(spaces)}, got {name!r}")
    return spaces[name]


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


def _fit_cf(prepared: Prepared, config: Settings, parent: Path, watch: Watch) -> EmbeddingTable:
    assert isinstance(config, Prod2VecConfig), "bug: settings of another space"
    # Softmax keeps its state in another form; its trials run to their end.
    watched = None if config.softmax else _Watched(watch)
    return fit_prod2vec(prepared, config, parent, checkpoints=watched, progress=SilentProgress())


def _fit_content(
    prepared: Prepared, config: Settings, parent: Path, watch: Watch
) -> EmbeddingTable:
    # fastText trains in one call, so there is nothing to watch.
    assert isinstance(config, ContentConfig), "bug: settings of another space"
    with scratch_folder(parent) as scratch:
        folder = scratch / "content"
        folder.mkdir()
        return fit_content(prepared, config, folder, progress=SilentProgress())
