"""Shoppers who each keep to one theme, and user vectors learnt from them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from artifacts.als_terms import AlsTerms
from artifacts.confidence import Confidence
from artifacts.embeddings import EmbeddingTable
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.ragged import Ragged
from artifacts.users import write_users
from artifacts.versions import VersionedRoot
from retrieval.user_space import UserSpace
from tests.made_sessions import prepare_sessions
from trainer.als import train_als
from trainer.users_config import AlsConfig

USERS = 7
"""As many as `rows_of` names; session i belongs to user i modulo this."""
ITEMS_PER_THEME = 10

SMALL = AlsConfig(
    dimensions=8, iterations=5, alpha=10.0, growth="log", regularisation=1.0, threads=1
)
"""Settings that suit a few users."""


def themed_shoppers(count: int, *, length: int = 4, seed: int = 0) -> list[list[str]]:
    """Return sessions of items `t<user>-<n>`, one theme a user."""
    rng = np.random.default_rng(seed)
    return [
        [f"t{number % USERS}-{n:02d}" for n in rng.permutation(ITEMS_PER_THEME)[:length]]
        for number in range(count)
    ]


def write_sessions(path: Path, sessions: Sequence[dict[str, Any]]) -> Path:
    """Write sessions as a prepared data set keeps them; `weights` only where the first has them."""
    types = {
        "session_id": pa.string(),
        "user_id": pa.string(),
        "started_at": pa.timestamp("us"),
        "items": pa.list_(pa.int32()),
        "weights": pa.list_(pa.float32()),
    }
    if not sessions or "weights" not in sessions[0]:
        del types["weights"]
    columns = {
        name: pa.array([session.get(name) for session in sessions], type=type)
        for name, type in types.items()
    }
    pq.write_table(pa.table(columns), path)
    return path


def prepare_shoppers(folder: Path, count: int = 60) -> Prepared:
    """Prepare themed shoppers, all of their sessions for training."""
    return prepare_sessions(folder, themed_shoppers(count), split={"kind": "none"})


def train_users(prepared: Prepared, root: Path, **settings: Any) -> UserSpace:
    """Train a small user space and open it."""
    config = SMALL.model_copy(update=settings)
    return UserSpace.open(
        train_als(prepared, config, VersionedRoot(root), progress=SilentProgress())
    )


def random_users(folder: Path, items: int, *, taken: int = 6, dim: int = 8) -> UserSpace:
    """Write users with random vectors and histories over every other row of a vocabulary.

    Scores are far apart, so that a list has one right order.
    """
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(items // 2, dim)).astype(np.float32)
    rows = np.arange(0, 2 * (items // 2), 2, dtype=np.int32)
    histories = [np.sort(rng.permutation(rows)[:taken]) for _ in range(USERS)]
    users = write_users(
        folder / "users",
        ids=[f"u{number}" for number in range(USERS)],
        vectors=rng.normal(size=(USERS, dim)).astype(np.float32),
        history=Ragged.of(np.full(USERS, taken), np.concatenate(histories)),
        weights=np.ones(USERS * taken, dtype=np.float32),
    )
    terms = AlsTerms((factors.T @ factors).astype(np.float64), Confidence(1.0, "linear"), 1.0)
    return UserSpace("made", EmbeddingTable("user", rows, factors, factors), users, terms)
