"""Train the same model several times, each from random numbers of its own."""

from collections.abc import Callable

import numpy as np

from trainer.checkpoints import Checkpoints
from trainer.config import Prod2VecConfig
from trainer.joined_vectors import Matrices, joined_vectors

FitOne = Callable[[Prod2VecConfig, Checkpoints | None], Matrices]


def fit_members(config: Prod2VecConfig, fit: FitOne, checkpoints: Checkpoints | None) -> Matrices:
    """Return the joined matrices of all members; see `joined_vectors`.

    The first member has the seed of the settings, so that one member alone is what it would be
    without this function. A finished member stays among the checkpoints until all are.

    Args:
        config: has a table `softmax`.
        fit: trains one member with the settings and the checkpoints given to it.
        checkpoints: of the whole training; None keeps none.

    Cost: `members` times that of `fit`, one after the other; memory of all their matrices.
    """
    settings = config.softmax
    assert settings is not None, "bug: softmax without its settings"
    models = []
    for number in range(settings.members):
        own = config.model_copy(update={"seed": member_seed(config.seed, number)})
        part = checkpoints.part(f"member-{number}") if checkpoints else None
        models.append(fit(own, part))
    return joined_vectors(models, settings)


def member_seed(seed: int, number: int) -> int:
    """Return the seed of a member, for the first one that of the settings."""
    if number == 0:
        return seed
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
