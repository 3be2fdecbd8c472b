"""Bands made ready for one space: what is too close, and what is too far."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from artifacts.catalog import Catalog
from artifacts.errors import ConfigError
from indexer.band_kernels import judge_further, keep_apart
from indexer.bands_config import Band, BandsConfig

NO_CEILING, NO_FLOOR = 2.0, -2.0
"""Limits that no cosine reaches."""

LENGTHS_AT_ONCE = 1 << 16

MOST_HITS = 20_000
"""As `indexer.bands_config.BandsConfig.most_hits` has it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds of the items of a vocabulary.

    Attributes:
        values: (c, 3) float32, as `indexer.band_kernels.keep_apart` takes them, a line for each
            category code.
        codes: (v,) int32, the line of each vocabulary row.
        most_hits: hits looked at before a list is left short.
    """

    values: FloatMatrix
    codes: IntVector
    most_hits: int = MOST_HITS

    @classmethod
    def of(cls, config: BandsConfig, catalog: Catalog) -> "Limits":
        """Look up the thresholds of each category of a catalogue.

        Raises:
            ConfigError: a category is not in the catalogue.
        """
        unknown = sorted(set(config.categories) - set(catalog.categories))
        if unknown:
            raise ConfigError(
                f"bands: the catalogue has no top category {unknown[0]!r}; it has: "
                f"{', '.join(catalog.categories)}"
            )
        lines = [limits_of(config.of(name)) for name in catalog.categories]
        return cls(np.vstack(lines), np.asarray(catalog.category_codes), config.most_hits)

    def of_rows(self, rows: IntVector) -> FloatMatrix:
        """Return (m, 3) thresholds of lists of the items `rows`."""
        return self.values[self.codes[rows]]


def limits_of(band: Band) -> FloatVector:
    """Return the (3,) float32 thresholds of a band as the kernel takes them."""
    return np.array(
        [
            NO_CEILING if band.max_to_source is None else band.max_to_source,
            NO_CEILING if band.max_between is None else band.max_between,
            NO_FLOOR if band.min_similarity is None else band.min_similarity,
        ],
        dtype=np.float32,
    )


@dataclass(frozen=True, slots=True)
class Apart:
    """What stayed of q lists.

    Attributes:
        kept: (q, k) int32 columns of the lists, ascending; -1 where they ran out.
        removed: (q, 3) int32 items that were too close to the source, too close to a better one,
            or too far from the source.
    """

    kept: IntMatrix
    removed: IntMatrix

    def take(self, values: NDArray[np.generic], padding: float) -> NDArray[np.generic]:
        """Return (q, k) entries of `values` (q, m) that were kept, padded."""
        taken = np.take_along_axis(values, np.maximum(self.kept, 0), axis=1)
        taken[self.kept < 0] = padding
        return taken


@dataclass(frozen=True, slots=True)
class Sources:
    """What q lists were found for.

    Attributes:
        vectors: (q, d) float32 input vectors, of any length.
        own: (q,) int32 position of the source in the space, -1 where it is no item of it.
        limits: (q, 3) float32 thresholds of each list.
    """

    vectors: FloatMatrix
    own: IntVector
    limits: FloatMatrix


@dataclass(frozen=True, slots=True)
class Bands:
    """Measures likeness in one space.

    Attributes:
        vectors: (n, d) float32 input vectors of the space, read-only.
        scales: (n,) float32 reciprocals of their lengths.
    """

    vectors: FloatMatrix
    scales: FloatVector

    @classmethod
    def of(cls, vectors: FloatMatrix) -> "Bands":
        """Measure the lengths of (n, d) vectors. Cost: one pass, in bounded memory."""
        readable = vectors.view()
        readable.setflags(write=False)  # the kernel is compiled once, for arrays that are mapped
        return cls(readable, reciprocal_lengths(vectors))

    def keep(self, sources: Sources, found: IntMatrix, k: int) -> Apart:
        """Keep at most k items of each list; see `indexer.band_kernels.keep_apart`.

        Args:
            sources: what the lists were found for, and their thresholds.
            found: (q, m) int32 positions in the space, best first; negative ones are passed over.
            k: items wanted in each list.
        """
        kept = np.empty((len(found), k), dtype=np.int32)
        removed = np.empty((len(found), 3), dtype=np.int32)
        keep_apart(
            self.vectors,
            self.scales,
            sources.vectors,
            reciprocal_lengths(sources.vectors),
            sources.own,
            found,
            sources.limits,
            kept,
            removed,
        )
        return Apart(kept, removed)


@dataclass(frozen=True, slots=True)
class OpenList:
    """One list that is not full, in input vectors.

    Attributes:
        source: (d,) float32, what the list is for.
        held: (h, d) float32, the items that it holds.
        wanted: how many more it can take.
    """

    source: FloatVector
    held: FloatMatrix
    wanted: int


def further_reasons(
    open_list: OpenList, found: FloatMatrix, limits: FloatVector
) -> NDArray[np.int8]:
    """Judge further hits of a list as `Bands.keep` judges those of an empty one.

    Args:
        open_list: what there is.
        found: (m, d) float32 input vectors of the hits, best first.
        limits: (3,) float32 thresholds.

    Returns:
        (m,) which limit removes each hit, `indexer.band_kernels.KEPT` if none does; what comes
        after the last one that is wanted is not looked at and kept.
    """
    vectors = np.vstack([open_list.source, open_list.held, found]).astype(np.float32, copy=False)
    scales = reciprocal_lengths(vectors)
    reasons = np.empty(len(found), dtype=np.int8)
    judge_further(vectors, scales, len(open_list.held), limits, open_list.wanted, reasons)
    return reasons


def reciprocal_lengths(vectors: FloatMatrix) -> FloatVector:
    """Return (n,) float32 reciprocals of the lengths of (n, d) vectors, 0 for zero vectors."""
    scales = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), LENGTHS_AT_ONCE):
        block = vectors[start : start + LENGTHS_AT_ONCE]
        squares = np.einsum("nd,nd->n", block, block, dtype=np.float64)
        lengths = np.sqrt(squares)
        scales[start : start + len(block)] = np.where(lengths > 0, 1, 0) / np.where(
            lengths > 0, lengths, 1
        )
    return scales
