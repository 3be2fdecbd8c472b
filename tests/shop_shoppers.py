"""The shoppers of the small shop, what they took, and its sessions."""

from pathlib import Path

import numpy as np

from artifacts.als_terms import AlsTerms
from artifacts.confidence import Confidence
from artifacts.covisitation import COVISITATION
from artifacts.progress import SilentProgress
from artifacts.ragged import Ragged
from artifacts.recent_sessions import RECENT_SESSIONS
from artifacts.user_space_layout import FOLD_IN_FOLDER, USER_SPACE, USERS_FOLDER
from artifacts.users import write_users
from retrieval.fold_in import fold_in
from tests.made_artifacts import write_embedding, write_table
from tests.made_lists import ragged, random_lists
from trainer.covisitation import count_covisitation
from trainer.recent_sessions import recent_sessions
from trainer.tables_config import CovisitationConfig, RecentSessionsConfig
from trainer.weighted_lists import WeightedLists

SHOPPERS = 30
TAKEN = 12
SESSIONS = 500
SESSION_ITEMS = 120
"""Sessions hold the first rows alone: the others have neither neighbours nor sessions."""


def shopper(number: int) -> str:
    """Return the id of a shopper."""
    return f"shopper-{number:02d}"


def write_shoppers(folder: Path, items: int, dim: int) -> Path:
    """Write a user space with random factors, which lacks every tenth item."""
    rng = np.random.default_rng(11)
    rows = np.array([row for row in range(items) if row % 10 != 2], dtype=np.int32)
    factors = rng.normal(size=(len(rows), dim)).astype(np.float32)
    gram = factors.astype(np.float64).T @ factors.astype(np.float64)
    terms = AlsTerms(gram, Confidence(2.0, "linear"), 1.0)
    once = np.ones(1, dtype=np.float32)
    inputs = np.stack([fold_in(terms, factors[at : at + 1], once) for at in range(len(rows))])
    taken = [np.sort(rng.permutation(len(rows))[:TAKEN]) for _ in range(SHOPPERS)]
    weights = rng.integers(1, 4, SHOPPERS * TAKEN).astype(np.float32)
    vectors = [
        fold_in(terms, factors[places], weights[at * TAKEN : (at + 1) * TAKEN])
        for at, places in enumerate(taken)
    ]

    def add(staging: Path) -> None:
        write_users(
            staging / USERS_FOLDER,
            ids=[shopper(number) for number in range(SHOPPERS)],
            vectors=np.stack(vectors),
            history=Ragged.of(np.full(SHOPPERS, TAKEN), rows[np.concatenate(taken)]),
            weights=weights,
        )
        terms.save(staging / FOLD_IN_FOLDER)

    return write_embedding(
        folder, rows, inputs, factors, space=USER_SPACE, prepared="shop", further=add
    )


def write_tables(folder: Path, items: int) -> dict[str, Path]:
    """Write both tables of sessions in which low rows are popular."""
    sessions = ragged(random_lists(SESSIONS, SESSION_ITEMS, seed=12))
    covisitation = count_covisitation(
        WeightedLists(sessions, None),
        items,
        CovisitationConfig(top_k=15, threads=1),
        progress=SilentProgress(),
    )
    recent = recent_sessions(sessions, items, RecentSessionsConfig(sessions_per_item=50))
    return {
        COVISITATION: write_table(folder / COVISITATION, COVISITATION, covisitation, "shop"),
        RECENT_SESSIONS: write_table(folder / RECENT_SESSIONS, RECENT_SESSIONS, recent, "shop"),
    }
