"""Training, composed: which spaces and tables a shop file asks for, and where each is kept."""

from collections.abc import Callable, Sequence
from pathlib import Path

from artifacts.errors import ConfigError
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from cli.shop import ShopConfig, Workspace
from cli.training_inputs import open_prepared
from trainer.als import train_als
from trainer.config import TrainConfig
from trainer.content import train_content
from trainer.covisitation import make_covisitation
from trainer.image_space import train_images
from trainer.meta import train_meta
from trainer.prod2vec import train_prod2vec
from trainer.recent_sessions import make_recent_sessions

CF = "cf"

Training = Callable[[Prepared, Workspace, Progress], Path]


def run_train(shop: ShopConfig, spaces: Sequence[str], progress: Progress) -> dict[str, Path]:
    """Train the named spaces, or all that the shop file has settings for.

    Returns:
        The folder of each space or table, in the order of training.

    Raises:
        ConfigError: a space is unknown, or the shop file has no settings for it.
    """
    workspace = Workspace(shop.work_dir)
    trainings = trainings_of(shop.train)
    unknown = [space for space in spaces if space not in trainings]
    if unknown:
        raise ConfigError(
            f"train: expected spaces of the shop file ({', '.join(trainings)}), got {unknown[0]!r}; "
            "a table [train.<space>] brings one"
        )
    prepared = open_prepared(workspace)
    chosen = spaces or tuple(trainings)
    return {space: trainings[space](prepared, workspace, progress) for space in chosen}


def trainings_of(config: TrainConfig) -> dict[str, Training]:
    """Return what a shop file can train, by name; `covisitation` and `sessions` are tables."""
    cf = config.cf
    trainings: dict[str, Training] = {
        CF: lambda data, work, progress: train_prod2vec(
            data, cf, work.embedding(CF), progress=progress
        )
    }
    if (meta := config.meta) is not None:
        trainings["meta"] = lambda data, work, progress: train_meta(
            data, meta, work.embedding("meta"), progress=progress
        )
    if (content := config.content) is not None:
        trainings["content"] = lambda data, work, progress: train_content(
            data, content, work.embedding("content"), progress=progress
        )
    if (user := config.user) is not None:
        trainings["user"] = lambda data, work, progress: train_als(
            data, user, work.embedding("user"), progress=progress
        )
    if (image := config.image) is not None:
        trainings["image"] = lambda data, work, progress: train_images(
            data, image, work.embedding("image"), progress=progress
        )
    if (covisitation := config.tables.covisitation) is not None:
        trainings["covisitation"] = lambda data, work, progress: make_covisitation(
            data, covisitation, work.table("covisitation"), progress=progress
        )
    if (sessions := config.tables.sessions) is not None:
        trainings["sessions"] = lambda data, work, progress: make_recent_sessions(
            data, sessions, work.table("sessions"), progress=progress
        )
    return trainings
