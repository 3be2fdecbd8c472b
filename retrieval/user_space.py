"""Vectors of users: stored, solved from fresh events, or none."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from artifacts.als_terms import AlsTerms
from artifacts.arrays import FloatMatrix, FloatVector, IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.manifest import read_manifest
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from artifacts.user_space_layout import FOLD_IN_FOLDER, USER_SPACE, USERS_FOLDER
from artifacts.users import UserTable
from retrieval.fold_in import fold_in


class UserOrigin(StrEnum):
    """Where the vector of a user comes from."""

    STORED = "stored"  # training knew the user
    FOLDED_IN = "folded_in"  # solved from the events of the call, and the history if there is one
    UNKNOWN = "unknown"  # neither the user nor any item of the call is known: no vector


@dataclass(frozen=True, slots=True)
class Visits:
    """Fresh events of a user.

    Attributes:
        rows: (m,) int32 vocabulary rows; repeats add up, negative ones are passed over.
        weights: (m,) float32, > 0, on the scale of the weights of training.
    """

    rows: IntVector
    weights: FloatVector

    @classmethod
    def none(cls) -> "Visits":
        """Return no events."""
        return cls(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))


@dataclass(frozen=True, slots=True)
class UserVector:
    """A user, as a query.

    Attributes:
        origin: how the vector came to be.
        values: (d,) float32, to be multiplied with item factors; None where the user is unknown.
        taken: vocabulary rows that the user took in training or in the call, ascending.
    """

    origin: UserOrigin
    values: FloatVector | None
    taken: IntVector


@dataclass(frozen=True, slots=True)
class UserSpace:
    """The space `user`, opened.

    Attributes:
        id: version of the embedding.
        items: the items that the space knows; `outputs` are their factors.
        users: the users that training knew.
        terms: what further users are solved from.
    """

    id: str
    items: EmbeddingTable
    users: UserTable
    terms: AlsTerms

    @property
    def factors(self) -> FloatMatrix:
        """(n, d) float32, what user vectors are multiplied with."""
        return self.items.targets(Relation.CONTINUATIONS)

    @classmethod
    def open(cls, folder: Path) -> "UserSpace":
        """Map the embedding of the space.

        Raises:
            ArtifactError: it is missing, unreadable, or of another format.
        """
        manifest = read_manifest(folder, "embedding")
        return cls(
            id=manifest.id,
            items=EmbeddingTable.open(folder, USER_SPACE, manifest.details),
            users=UserTable.open(folder / USERS_FOLDER),
            terms=AlsTerms.open(folder / FOLD_IN_FOLDER),
        )

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot) -> "UserSpace | None":
        """Return the space of a snapshot, or None if it knows no users."""
        entry = snapshot.contents.users
        if entry is None or snapshot.users is None or snapshot.fold_in is None:
            return None
        items = snapshot.spaces[entry.space]
        return cls(str(items.lineage.get("id", "")), items, snapshot.users, snapshot.fold_in)

    def vector(self, user_id: str, visits: Visits | None = None) -> UserVector:
        """Return the vector of a user; fresh events are folded in with the history.

        Args:
            user_id: known to training or not; empty for an anonymous shopper.
            visits: what happened since, or in this session.

        Cost: O(1) for a stored vector, else that of `retrieval.fold_in.fold_in`.
        """
        row = self.users.row(user_id)
        items, weights = self.users.taken(row) if row >= 0 else self._nothing()
        fresh, fresh_weights = self._known(visits or Visits.none())
        if len(fresh):
            return self._folded(
                np.concatenate([items, fresh]), np.concatenate([weights, fresh_weights])
            )
        if row < 0:
            return UserVector(UserOrigin.UNKNOWN, None, items)
        return UserVector(UserOrigin.STORED, self.users.vectors[row], items)

    def _nothing(self) -> tuple[IntVector, FloatVector]:
        nothing = Visits.none()
        return nothing.rows, nothing.weights

    def _known(self, visits: Visits) -> tuple[IntVector, FloatVector]:
        known = (visits.rows >= 0) & (self.items.positions(visits.rows) >= 0)
        return visits.rows[known], visits.weights[known]

    def _folded(self, rows: IntVector, weights: FloatVector) -> UserVector:
        items, places = np.unique(rows, return_inverse=True)
        summed = np.bincount(places, weights=weights).astype(np.float32)
        factors = self.factors[self.items.positions(items)]
        values = fold_in(self.terms, factors, summed)
        return UserVector(UserOrigin.FOLDED_IN, values, items.astype(np.int32))
