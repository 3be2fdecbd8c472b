"""The stage `train`, space `user`: alternating least squares over users and items."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from artifacts.als_terms import AlsTerms
from artifacts.arrays import FloatMatrix
from artifacts.confidence import Confidence
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.ragged import Ragged
from artifacts.user_space_layout import FOLD_IN_FOLDER, USER_SPACE, USERS_FOLDER
from artifacts.users import write_users
from artifacts.versions import VersionedRoot
from trainer.interactions import Interactions, read_interactions
from trainer.space_artifact import SpaceRecipe, store_space
from trainer.users_config import AlsConfig

USERS_PER_SOLVE = 65_536

COLLAPSED = 1e-4
"""Length below which a vector holds nothing but what the rounds have not yet shrunk away."""


def train_als(
    prepared: Prepared, config: AlsConfig, root: VersionedRoot, *, progress: Progress
) -> Path:
    """Learn user and item vectors, put them in use, return their folder.

    Beside the table of the items the folder holds the users (`artifacts.users.UserTable`) and what
    the vectors of further users are solved from (`artifacts.als_terms.AlsTerms`).

    Raises:
        DataError: no session names a user, fewer than two items were taken, or the regularisation
            left nothing.

    Cost: O(iterations * (events * d + (users + items) * d^2)), then one exact solve of every user,
    O(events * d^2 + users * d^3).
    """
    recipe = SpaceRecipe(
        space=USER_SPACE,
        settings=config.model_dump(mode="json", exclude={"threads"}),
        inputs={"prepared": prepared.manifest.id},
        packages=("implicit", "numpy", "scipy"),
    )

    def fit(folder: Path) -> EmbeddingTable:
        progress.start("read users")
        interactions = read_interactions(prepared.train_sessions)
        progress.finish(f"{len(interactions.users):,} users, {interactions.matrix.nnz:,} entries")
        model = fit_als(interactions, config, progress=progress)
        _write(interactions, model, folder)
        return _table(interactions, model)

    return store_space(recipe, root, fit, progress=progress)


@dataclass(frozen=True, slots=True)
class AlsModel:
    """What alternating least squares learnt.

    Attributes:
        users: (u, d) float32, solved exactly against the final item factors.
        item_factors: (n, d) float32.
        terms: what further users are solved from.
    """

    users: FloatMatrix
    item_factors: FloatMatrix
    terms: AlsTerms


def fit_als(interactions: Interactions, config: AlsConfig, *, progress: Progress) -> AlsModel:
    """Factorise the matrix of confidences.

    The library's rounds solve users before items and approximately, by conjugate gradients (Takacs,
    Pilaszy, Tikk 2011), so that its user vectors lag behind its item factors. They are solved once
    more, exactly: what is stored for a user equals what a fold-in of the same events gives.

    Args:
        interactions: users by items.
        config: every knob.
        progress: gets one step a round, then one a user.

    Raises:
        DataError: the regularisation is so strong that all vectors collapsed to zero.
    """
    confidence = Confidence(config.alpha, config.growth)
    confidences = csr_matrix(interactions.matrix, copy=True)
    confidences.data = confidence.of(confidences.data).astype(np.float32)
    # BLAS threads below the library's own threads slow it down several times over.
    with threadpool_limits(limits=1, user_api="blas"):
        model = _factorise(confidences, config, progress)
        users = _solve_users(model, confidences, progress)
    _check_alive(users, config)
    factors = np.ascontiguousarray(model.item_factors, dtype=np.float32)
    wide = factors.astype(np.float64)
    return AlsModel(users, factors, AlsTerms(wide.T @ wide, confidence, config.regularisation))


def _check_alive(users: FloatMatrix, config: AlsConfig) -> None:
    longest = float(np.linalg.norm(users, axis=1).max())
    if longest < COLLAPSED:
        raise DataError(
            f"train.user: expected vectors, but the longest of {len(users)} users is {longest:.1g}: "
            f"`regularisation` = {config.regularisation:g} is too strong for this little data"
        )


def _factorise(
    confidences: csr_matrix, config: AlsConfig, progress: Progress
) -> AlternatingLeastSquares:
    model = AlternatingLeastSquares(
        factors=config.dimensions,
        regularization=config.regularisation,
        alpha=1.0,  # the entries are confidences already
        iterations=config.iterations,
        num_threads=config.threads or os.cpu_count() or 1,
        random_state=config.seed,
    )
    progress.start("train user", total=config.iterations)
    model.fit(confidences, show_progress=False, callback=lambda *_: progress.advance())
    progress.finish(f"{confidences.shape[1]:,} items, {config.dimensions} dimensions")
    return model


def _solve_users(
    model: AlternatingLeastSquares, confidences: csr_matrix, progress: Progress
) -> FloatMatrix:
    count = confidences.shape[0]
    users = np.empty((count, model.factors), dtype=np.float32)
    progress.start("solve users", total=count)
    for start in range(0, count, USERS_PER_SOLVE):
        block = np.arange(start, min(start + USERS_PER_SOLVE, count))
        users[block] = model.recalculate_user(block, confidences[block])
        progress.advance(len(block))
    progress.finish()
    return users


def single_item_users(factors: FloatMatrix, terms: AlsTerms) -> FloatMatrix:
    """Return the vector of a user who took one item, once, for each of the n items.

    The normal equations for a single item are A x = c y with A = Y'Y + lambda I + (c - 1) y y', so
    by the formula of Sherman and Morrison x = c z / (1 + (c - 1) y'z), where (Y'Y + lambda I) z = y.

    Args:
        factors: (n, d) float32 item factors.
        terms: of the same model.

    Cost: O(d^3 + n d^2).
    """
    confidence = float(terms.confidence.of(np.ones(1))[0])
    wide = factors.astype(np.float64)
    ridge = terms.gram + terms.regularisation * np.eye(len(terms.gram))
    solved = np.linalg.solve(ridge, wide.T).T  # (n, d)
    products = np.einsum("nd,nd->n", wide, solved)
    scales = confidence / (1 + (confidence - 1) * products)
    return np.ascontiguousarray(solved * scales[:, np.newaxis], dtype=np.float32)


def _table(interactions: Interactions, model: AlsModel) -> EmbeddingTable:
    return EmbeddingTable(
        space=USER_SPACE,
        rows=interactions.items,
        vectors=single_item_users(model.item_factors, model.terms),
        outputs=model.item_factors,
        lineage={"users": len(interactions.users), "entries": int(interactions.matrix.nnz)},
    )


def _write(interactions: Interactions, model: AlsModel, folder: Path) -> None:
    matrix = interactions.matrix
    write_users(
        folder / USERS_FOLDER,
        ids=interactions.users,
        vectors=model.users,
        history=Ragged.of(np.diff(matrix.indptr), interactions.items[matrix.indices]),
        weights=matrix.data.astype(np.float32),
    )
    model.terms.save(folder / FOLD_IN_FOLDER)
