"""Ranking tables in which a feature tells more than the sources do."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from artifacts.manifest import seal
from artifacts.ranker import FeatureSchema, FeatureSpec
from artifacts.ranking_table import RankingTable

SCHEMA = FeatureSchema(
    version=1,
    features=(
        FeatureSpec(name="telling", monotone=1),
        FeatureSpec(name="noise"),
        FeatureSpec(name="rare"),
    ),
    sources=("good", "poor"),
)
ITEMS = 200


def made_table(
    contexts: int = 90, *, seed: int = 0, grades: int = 1, missed: int = 0
) -> RankingTable:
    """Return contexts of 4 to 14 candidates.

    What comes next follows the feature `telling`, which the source `good` knows half of and the
    source `poor` nothing. Two contexts in a row are of one time. The feature `rare` is NaN for most.

    Args:
        contexts: how many.
        seed: of everything.
        grades: the highest grade.
        missed: what came next and is no candidate, of grade 1 and in every third context.
    """
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 15, size=contexts)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    n = int(offsets[-1])
    features = rng.normal(size=(n, 3)).astype(np.float32)
    features[rng.random(n) < 0.7, 2] = np.nan
    labels, ranks = np.zeros(n, dtype=np.int8), np.zeros((n, 2), dtype=np.int16)
    rows = np.empty(n, dtype=np.int32)
    for start, end in pairwise(offsets.tolist()):
        own = slice(start, end)
        rows[own] = np.sort(rng.choice(ITEMS, end - start, replace=False))
        wanted = features[own, 0] + rng.normal(scale=0.3, size=end - start)
        if rng.random() < 0.9:
            labels[start + np.argmax(wanted)] = rng.integers(1, grades + 1)
        known = features[own, 0] + rng.normal(scale=1.0, size=end - start)
        for source, score in enumerate((known, rng.normal(size=end - start))):
            ranks[own, source] = _ranks(score, rng)
    return RankingTable(
        features=features,
        labels=labels,
        offsets=offsets,
        rows=rows,
        ranks=ranks,
        missed=_missed(contexts, grades, missed),
        when=np.arange(contexts, dtype=np.int64) // 2,
        schema=SCHEMA,
    )


def seal_table(table: RankingTable, folder: Path) -> None:
    """Write a table as the command `rank` does."""
    table.save(folder)
    seal(folder, kind="ranking_table", id=folder.name, config={}, inputs={}, versions={})


def _ranks(scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return ranks by score; about a quarter of the candidates is not in the list."""
    held = np.flatnonzero(rng.random(len(scores)) < 0.75)
    ranks = np.zeros(len(scores), dtype=np.int16)
    ranks[held[np.argsort(-scores[held])]] = np.arange(1, len(held) + 1)
    return ranks


def _missed(contexts: int, grades: int, each: int) -> np.ndarray:
    missed = np.zeros((contexts, grades), dtype=np.int16)
    missed[::3, 0] = each
    return missed
