"""The neighbours of the items of one part, what is too close or too far left out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntMatrix, IntVector
from artifacts.neighbors import PAD_ROW, PAD_SCORE, Neighbors
from indexer.bands import MOST_HITS, Bands, Sources
from indexer.index import Index, Metric
from indexer.self_removal import without_self

LEAST_SPARE = 4
"""Hits asked for beyond k, or a quarter of k where that is more, when a band may remove some."""

HITS_AT_ONCE = 1 << 22
"""Bound on the hits held for one call of an index: 32 MB."""

ROUNDING = 1e-5
"""Two ways to compute a float32 cosine differ by less."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Neighbours of q items of a part.

    Attributes:
        rows: (q, k) int32 numbers within the part, best first; -1 where they ran out.
        scores: (q, k) float32; -inf where they ran out.
        removed: (3,) int64 items that were too close to the source, too close to a better one, or
            too far from the source, over all lists.
    """

    rows: IntMatrix
    scores: FloatMatrix
    removed: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PartLimits:
    """Thresholds of the items of a part.

    Attributes:
        values: (c, 3) float32, as `indexer.bands.Limits.values`.
        codes: (n,) int32, the line of each item of the part.
        most_hits: hits looked at before a list is left short.
    """

    values: FloatMatrix
    codes: IntVector
    most_hits: int = MOST_HITS


@dataclass(frozen=True, slots=True)
class PartSearch:
    """Searches the neighbours of items of one part among that part.

    Attributes:
        index: over the n items of the part.
        metric: what the index scores by.
        positions: (n,) int32 positions of the items in the space.
        vectors: (m, d) float32 input vectors of the space.
        bands: measures likeness in the space; None where nothing is too close or too far.
        limits: thresholds; None where there are no bands.
    """

    index: Index
    metric: Metric
    positions: IntVector
    vectors: FloatMatrix
    bands: Bands | None = None
    limits: PartLimits | None = None

    def lists(self, items: IntVector, k: int) -> Lists:
        """Find the k nearest others of each item that are neither too close nor too far.

        Where a list falls short, its search is widened until k are found, until the index has no
        more, or until `most_hits` were looked at.

        Args:
            items: (q,) int32 numbers within the part.
            k: neighbours wanted, >= 1.

        Cost: a search for k and some more, twice as many for each list that falls short, and so on.
        """
        queries = np.ascontiguousarray(self.vectors[self.positions[items]])
        if self.bands is None or self.limits is None:
            best = without_self(self.index.search(queries, k + 1), items, k)
            return Lists(best.rows, best.scores, np.zeros(3, dtype=np.int64))
        limits = self.limits.values[self.limits.codes[items]]
        sources = Sources(queries, self.positions[items], limits)
        draft = _Draft(sources, Neighbors.empty(len(items), k), np.zeros(3, dtype=np.int64))
        self._fill(draft, k)
        return Lists(draft.best.rows, draft.best.scores, draft.removed)

    def _fill(self, draft: "_Draft", k: int) -> None:
        short = np.arange(len(draft.best.rows))
        fetch = min(k + 1 + max(LEAST_SPARE, k // 4), self._most(k))
        while len(short):
            pieces = min(-(-len(short) * fetch // HITS_AT_ONCE), len(short))
            left = [self._attempt(draft, lines, fetch) for lines in np.array_split(short, pieces)]
            short = np.concatenate(left)
            fetch = min(2 * fetch, self._most(k))

    def _most(self, k: int) -> int:
        assert self.limits is not None, "bug: lists are filled within limits"
        return min(max(self.limits.most_hits, k + 1), len(self.index))

    def _attempt(self, draft: "_Draft", lines: NDArray[np.intp], fetch: int) -> NDArray[np.intp]:
        """Fill those of `lines` that `fetch` hits are enough for; return the others."""
        assert self.bands is not None, "bug: lists are filled from bands"
        sources = draft.of(lines)
        found = self.index.search(sources.vectors, fetch)
        in_space = np.where(found.rows >= 0, self.positions[found.rows], np.int32(PAD_ROW))
        k = draft.best.rows.shape[1]
        apart = self.bands.keep(sources, in_space, k)
        whole = apart.kept[:, -1] >= 0
        done = whole | (fetch >= self._most(k)) | self._has_no_more(found, sources.limits)
        finished = lines[done]
        draft.best.rows[finished] = apart.take(found.rows, PAD_ROW)[done]
        draft.best.scores[finished] = apart.take(found.scores, PAD_SCORE)[done]
        draft.removed[:] += apart.removed[done].sum(axis=0, dtype=np.int64)
        return lines[~done]

    def _has_no_more(self, found: Neighbors, limits: FloatMatrix) -> NDArray[np.bool_]:
        """Tell of each answer whether a wider one could hold nothing that passes."""
        dry: NDArray[np.bool_] = found.rows[:, -1] < 0
        if self.metric is not Metric.COSINE:
            return dry
        # Hits come by falling likeness to the source, so all further ones are too far.
        too_far: NDArray[np.bool_] = found.scores[:, -1] < limits[:, 2] - ROUNDING
        return dry | too_far


@dataclass(frozen=True, slots=True)
class _Draft:
    """Lists in the making."""

    sources: Sources
    best: Neighbors
    removed: NDArray[np.int64]

    def of(self, lines: NDArray[np.intp]) -> Sources:
        all_ = self.sources
        return Sources(all_.vectors[lines], all_.own[lines], all_.limits[lines])
