"""Everything that one snapshot loads to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from artifacts.catalog import PATH_SEPARATOR
from artifacts.covisitation import COVISITATION, CovisitationTable
from artifacts.errors import UnsupportedError
from artifacts.recent_sessions import RECENT_SESSIONS, RecentSessions
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from artifacts.user_space_layout import USER_SPACE
from indexer.bands import OpenList, further_reasons
from indexer.open import open_bands, open_indices
from indexer.space_index import SpaceIndex
from retrieval.anchors import Anchors, open_anchors
from retrieval.availability import Availability
from retrieval.precomputed import PrecomputedLists
from retrieval.ranking.candidate_ranker import CandidateRanker
from retrieval.session_knn import session_knn
from retrieval.session_knn_config import SessionKnnConfig
from retrieval.space_bands import SpaceBands
from retrieval.user_space import UserSpace


@dataclass(frozen=True, slots=True)
class ServingState:
    """A snapshot with its indices open and what is looked up in it most often.

    Never changes, but for the stock of its items.

    Attributes:
        snapshot: the mapped snapshot.
        indices: searchable indices by space and relation.
        precomputed: neighbour lists by space and relation.
        category_codes: code of each top category, by name.
        availability: which items are out of stock.
        anchors: what the hybrid borrows from; None where the snapshot has none.
        bands: what is too close or too far, by space and relation; nothing where there is no band.
        user_space: shoppers and their item factors; None where the snapshot has none.
        ranker: scores candidates; None where the snapshot has no ranking model.
    """

    snapshot: Snapshot
    indices: Mapping[tuple[str, Relation], SpaceIndex]
    precomputed: Mapping[tuple[str, Relation], PrecomputedLists]
    category_codes: Mapping[str, int]
    availability: Availability
    anchors: Anchors | None = None
    bands: Mapping[tuple[str, Relation], SpaceBands] = field(default_factory=dict)
    user_space: UserSpace | None = None
    ranker: CandidateRanker | None = None

    @property
    def lists_space(self) -> str:
        """Name of the space whose lists the hybrid borrows; empty without one."""
        return self.anchors.entry.lists if self.anchors else ""

    def require_anchors(self, space: str) -> None:
        """Return if the hybrid can answer in `space`.

        Raises:
            UnsupportedError: the snapshot has no anchors, or they lend lists of another space.
        """
        if self.lists_space == space:
            return
        lent = f"lends lists of space {self.lists_space!r}" if self.anchors else "has no anchors"
        raise UnsupportedError(
            f"snapshot {self.snapshot.id} {lent}, so the hybrid has no lists of space {space!r}; "
            "[index.anchors] says whose are lent"
        )

    def require_users(self) -> tuple[UserSpace, SpaceIndex]:
        """Return the shoppers and the index of their item factors.

        Raises:
            UnsupportedError: the snapshot knows no shoppers, or their items are not indexed.
        """
        if self.user_space is None:
            raise UnsupportedError(
                f"snapshot {self.snapshot.id} has no user vectors; [train.user] makes them, and a "
                f"table [[index.spaces]] of space {USER_SPACE!r} puts them in"
            )
        index = self.indices.get((self.user_space.items.space, Relation.CONTINUATIONS))
        if index is None:
            raise UnsupportedError(
                f"snapshot {self.snapshot.id} has user vectors, but no index of their item factors; "
                f"let [[index.spaces]] of space {USER_SPACE!r} have the relation continuations"
            )
        return self.user_space, index

    def require_ranker(self) -> CandidateRanker:
        """Return what scores candidates.

        Raises:
            UnsupportedError: the snapshot has no ranking model.
        """
        if self.ranker is None:
            raise UnsupportedError(
                f"snapshot {self.snapshot.id} has no ranker; `shelfmate rank` trains one, and "
                "`shelfmate index` puts it in"
            )
        return self.ranker

    def require_covisitation(self) -> CovisitationTable:
        """Return the items that share sessions.

        Raises:
            UnsupportedError: the snapshot has no such table.
        """
        if self.snapshot.covisitation is None:
            raise UnsupportedError(_no_table(self.snapshot, COVISITATION))
        return self.snapshot.covisitation

    def require_recent_sessions(self) -> RecentSessions:
        """Return the sessions that session-kNN looks up.

        Raises:
            UnsupportedError: the snapshot has no such table.
        """
        if self.snapshot.recent_sessions is None:
            raise UnsupportedError(_no_table(self.snapshot, RECENT_SESSIONS))
        return self.snapshot.recent_sessions

    def require(self, space: str, relation: Relation, *, searchable: bool = False) -> None:
        """Return if the snapshot answers `relation` in `space`.

        Args:
            space: name of a space.
            relation: what a neighbour means.
            searchable: whether a precomputed table is not enough.

        Raises:
            UnsupportedError: it lacks the space or the relation; what there is, is named.
        """
        key = (space, relation)
        if key in self.indices or (key in self.precomputed and not searchable):
            return
        known = sorted(f"{name} {what}" for name, what in self.indices)
        raise UnsupportedError(
            f"snapshot {self.snapshot.id} does not answer {relation.value} in space {space!r}; "
            f"it answers: {', '.join(known)}"
        )

    def spaces_of(self, row: int) -> list[str]:
        """Return the names of the spaces in which a row has a vector, sorted."""
        rows = np.array([row], dtype=np.int32)
        tables = sorted(self.snapshot.spaces.items())
        return [name for name, table in tables if table.positions(rows)[0] >= 0]

    def category_of_rows(self, rows: Sequence[int]) -> int | None:
        """Return the code of the top category of all of `rows`, or None if they differ."""
        codes = {int(self.snapshot.catalog.category_codes[row]) for row in rows}
        return codes.pop() if len(codes) == 1 else None

    def category_of_path(self, path: str) -> int | None:
        """Return the code of the first level of a category path, or None if it is unknown."""
        return self.category_codes.get(path.split(PATH_SEPARATOR, 1)[0].strip())


def load_state(path: Path, *, check: bool = True) -> ServingState:
    """Verify a snapshot, open all of it, and use each part once.

    What is warm here does not page-fault or compile under the first caller.

    Args:
        path: folder of the snapshot.
        check: False skips the checksums, for a snapshot that this process has just verified.

    Raises:
        ArtifactError: the snapshot is missing, damaged, or of another format version, or its ranker
            reads features of another version, or some that the snapshot cannot compute.
    """
    snapshot = Snapshot.open(path, check=check)
    availability = Availability(len(snapshot.items))
    state = ServingState(
        snapshot=snapshot,
        indices=open_indices(snapshot).by_relation,
        precomputed={key: PrecomputedLists(table) for key, table in snapshot.neighbors.items()},
        category_codes={name: code for code, name in enumerate(snapshot.catalog.categories)},
        availability=availability,
        anchors=open_anchors(snapshot),
        bands={
            key: SpaceBands.of(config, snapshot.catalog.categories)
            for key, config in open_bands(snapshot).items()
        },
        user_space=UserSpace.of_snapshot(snapshot),
        ranker=CandidateRanker.of(snapshot, availability),
    )
    _warm(state)
    return state


def _no_table(snapshot: Snapshot, name: str) -> str:
    return f"snapshot {snapshot.id} has no table {name!r}; [train.tables.{name}] makes it"


def _warm(state: ServingState) -> None:
    """Search every index and look into every table once."""
    for (space, _), index in state.indices.items():
        vectors = state.snapshot.spaces[space].vectors
        index.search(np.ascontiguousarray(vectors[:1], dtype=np.float32), 1)
    for (space, _), lists in state.precomputed.items():
        for row in state.snapshot.spaces[space].rows[:1]:
            lists.head(int(row), 1)
    if state.anchors is not None and state.anchors.index is not None:
        vectors = state.anchors.content.vectors
        state.anchors.index.search(np.ascontiguousarray(vectors[:1], dtype=np.float32), 1)
    if state.snapshot.recent_sessions is not None and len(state.snapshot.items):
        first = np.zeros(1, dtype=np.int32)
        session_knn(state.snapshot.recent_sessions, first, 1, SessionKnnConfig())
    one = np.zeros((1, 1), dtype=np.float32)
    further_reasons(OpenList(one[0], one, 1), one, np.zeros(3, dtype=np.float32))
    if len(state.snapshot.items):
        state.snapshot.items.row(state.snapshot.items.id(0))
        state.snapshot.catalog.attributes(0)
