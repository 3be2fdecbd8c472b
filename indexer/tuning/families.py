"""What a tuner may build, and the ways in which each of it may be searched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from indexer.backends.faiss_factory import cell_count
from indexer.config import (
    AnnoyBuild,
    AnnoyConfig,
    AnnoySearch,
    BackendConfig,
    ExactConfig,
    FaissBuild,
    FaissConfig,
    FaissSearch,
    SearchConfig,
    SimHashBuild,
    SimHashConfig,
    SimHashSearch,
)
from indexer.target_config import EngineName
from indexer.tuning.ladder import share_steps, whole_steps

K_FACTORS = (2, 4, 7, 10, 14, 20, 28, 40, 60, 100)
CANDIDATES = (50, 70, 100, 140, 200, 280, 400, 560, 800, 1100, 1600, 2200, 3200, 6400)
LEAST_PROBE = 0.01
MOST_EF = 4096
TREES = (20, 50, 100)
MOST_SEARCH_K = 1 << 20
CELLS_AGAIN = ((0.5, 0.25), (2.0, 4.0))
"""Numbers of cells that are tried beside the usual one, as its multiples, fewer and more."""


@dataclass(frozen=True, slots=True)
class Family:
    """A build, and all searches of it that come into question.

    Attributes:
        name: of the kind of build, whatever its size.
        config: backend and build half; its search half counts for nothing.
        lines: each holds searches of rising effort; from one line to the next another setting
            rises, so that a higher line reaches a recall at a lower place. An exact index has one
            line of nothing to set.
        variants: builds of the same kind to try if this one does well; those of a chain lead ever
            further away, and are tried as long as they do better.
    """

    name: str
    config: BackendConfig
    lines: tuple[Sequence[SearchConfig | None], ...]
    variants: tuple[tuple["Family", ...], ...] = ()


def families(engines: Sequence[EngineName], n: int) -> list[Family]:
    """Return what may be built over n vectors, the cheapest build first."""
    found: list[Family] = []
    if "exact" in engines:
        found.append(Family("exact", ExactConfig(), ((None,),)))
    if "simhash" in engines:
        found.append(_simhash(n))
    if "faiss" in engines:
        found += [_cells(n), _codes(n), _graph(n)]
    if "annoy" in engines:
        found += [_forest(trees, n) for trees in TREES]
    return found


def _simhash(n: int) -> Family:
    candidates = [count for count in CANDIDATES if count < n] or [n]
    shares = share_steps(LEAST_PROBE)
    lines = tuple(
        [SimHashSearch(probe=share, candidates=count) for share in shares] for count in candidates
    )
    longer = Family("simhash", SimHashConfig(build=SimHashBuild(bits=256)), lines)
    return Family("simhash", SimHashConfig(), lines, ((longer,),))


def _cells(n: int) -> Family:
    def of(cells: int) -> tuple[BackendConfig, tuple[Sequence[SearchConfig], ...]]:
        line = [FaissSearch(nprobe=probes) for probes in whole_steps(1, cells)]
        return FaissConfig(build=FaissBuild(factory=f"IVF{cells},Flat")), (line,)

    chains = _chains(n, lambda cells: Family("faiss cells", *of(cells)))
    return Family("faiss cells", *of(cell_count(n)), chains)


def _codes(n: int) -> Family:
    def of(cells: int) -> tuple[BackendConfig, tuple[Sequence[SearchConfig], ...]]:
        probes = whole_steps(1, cells)
        lines = [[FaissSearch(nprobe=p, k_factor=factor) for p in probes] for factor in K_FACTORS]
        return FaissConfig(build=FaissBuild(factory=f"IVF{cells},PQx4fs,RFlat")), tuple(lines)

    chains = _chains(n, lambda cells: Family("faiss codes", *of(cells)))
    return Family("faiss codes", *of(cell_count(n)), chains)


def _chains(n: int, made: Callable[[int], Family]) -> tuple[tuple[Family, ...], ...]:
    """Return the same kind of build with ever fewer, and with ever more cells than usual."""
    usual = cell_count(n)
    counts = [[max(round(usual * ratio), 1) for ratio in ratios] for ratios in CELLS_AGAIN]
    return tuple(
        tuple(made(cells) for cells in chain if cells != usual and cells <= n // 2)
        for chain in counts
    )


def _graph(n: int) -> Family:
    line = [FaissSearch(ef_search=ef) for ef in whole_steps(8, max(min(n, MOST_EF), 9))]
    return Family("faiss graph", FaissConfig(build=FaissBuild(factory="HNSW32")), (line,))


def _forest(trees: int, n: int) -> Family:
    most = max(min(trees * n, MOST_SEARCH_K), trees)
    line = [AnnoySearch(search_k=search_k) for search_k in whole_steps(trees, most)]
    return Family("annoy", AnnoyConfig(build=AnnoyBuild(n_trees=trees)), (line,))
