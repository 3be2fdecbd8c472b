"""The too-close experiment: what thresholds of likeness cost, and what they buy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntMatrix, IntVector
from artifacts.errors import ArtifactError
from artifacts.folders import write_file
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.snapshot import Snapshot
from cli.banded_lists import BandedLists
from cli.shop import ShopConfig, Workspace
from cli.title_doubles import TitleDoubles
from cli.too_close_chart import write_too_close_chart
from cli.too_close_pairs import PairExamples
from cli.too_close_report import ThresholdEffect, ThresholdName, ThresholdSweep, TooCloseReport
from cli.training_inputs import open_prepared
from indexer.bands_config import Band
from indexer.open import open_indices
from trainer.bootstrap import Bootstrap
from trainer.config import EvaluateConfig
from trainer.evaluate import last_steps
from trainer.ranking import Cases

MAX_LOSS = 0.01
MAX_SHORTENED = 0.01
LEAST_CASES = 500
"""Held-out steps without which nothing is recommended for a category."""

FROM_ABOVE = (0.999, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8, 0.7)
FROM_BELOW = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Quantiles of the likeness found in open lists: the values tried. Spaces differ so much in their
likeness that no fixed values would do."""


def run_too_close(
    shop: ShopConfig, spaces: Sequence[str], progress: Progress
) -> list[tuple[TooCloseReport, Path]]:
    """Run the experiment on every relation of some spaces of the snapshot in service.

    Returns:
        Each report, and the page of its chart; a picture and the numbers stand beside it.

    Raises:
        ArtifactError: no snapshot is in service, or it was made from other data than those in use.
        UnsupportedError: the snapshot lacks a space.
        DataError: no session is held out.
    """
    workspace = Workspace(shop.work_dir)
    prepared = open_prepared(workspace)
    snapshot = Snapshot.open(workspace.snapshots.current(hint="shelfmate publish"))
    made_from = snapshot.manifest.inputs.get("prepared")
    if made_from != prepared.manifest.id:
        raise ArtifactError(
            f"{snapshot.path}: made from data set {made_from}, but {prepared.manifest.id} is in use; "
            "run `shelfmate index` and `shelfmate publish` again"
        )
    finished = []
    for space in spaces:
        for experiment in experiments(snapshot, prepared, space, shop.evaluate):
            report = experiment.run(progress)
            finished.append((report, write_too_close(report, workspace.charts)))
    return finished


def write_too_close(report: TooCloseReport, folder: Path) -> Path:
    """Write numbers, page and picture of a report; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"too-close-{report.space}-{report.relation}"
    write_file(folder / f"{stem}.json", report.model_dump_json(indent=2).encode())
    return write_too_close_chart(report, folder, stem)


def experiments(
    snapshot: Snapshot, prepared: Prepared, space: str, config: EvaluateConfig
) -> Iterator["TooClose"]:
    """Yield the experiment on each relation that a snapshot can answer in a space."""
    indices, cases = open_indices(snapshot), last_steps(prepared)
    relations = [what for name, what in indices.by_relation if name == space]
    if not relations:
        indices.of(space, next(iter(indices.by_relation))[1])  # tells what there is
    table = snapshot.spaces[space]
    sources = np.unique(cases.queries)
    sources = sources[table.positions(sources) >= 0].astype(np.int32)
    for relation in relations:
        lists = BandedLists.of(table, indices.of(space, relation), sources, config.k)
        yield TooClose(snapshot, lists, cases, config)


@dataclass(frozen=True, slots=True)
class _Measured:
    """One value of a threshold, in the numbers that effects and recommendations are made of."""

    effect: ThresholdEffect
    reciprocal: NDArray[np.float64]
    shortened: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TooClose:
    """The experiment on one space and relation.

    Attributes:
        snapshot: what is served.
        lists: the lists of all known items that ask in held-out steps.
        cases: the held-out steps.
        config: length of lists, and the bootstrap.
    """

    snapshot: Snapshot
    lists: BandedLists
    cases: Cases
    config: EvaluateConfig

    def run(self, progress: Progress) -> TooCloseReport:
        """Try every value of every threshold, each alone.

        Cost: a search of all lists for each value, and a bootstrap for each threshold.
        """
        index = self.lists.index
        values = len(FROM_ABOVE) * 2 + len(FROM_BELOW)
        progress.start(f"too close {index.space} {index.relation}", values)
        opened = self.lists.under(Band())
        to_source, to_better = self.lists.likeness(opened)
        doubles = TitleDoubles.of(self.snapshot.catalog, self.lists.sources)
        base = _Base(opened, self._reciprocal(opened), doubles, doubles.count(opened))
        found: list[tuple[ThresholdName, FloatMatrix, Sequence[float]]] = [
            ("max_to_source", to_source, FROM_ABOVE),
            ("max_between", to_better, FROM_ABOVE),
            ("min_similarity", to_source, FROM_BELOW),
        ]
        sweeps = []
        for name, likeness, quantiles in found:
            sweeps.append(self._sweep(name, likeness, _grid(likeness, quantiles), base))
            progress.advance(len(quantiles))
        progress.finish(", ".join(f"{sweep.threshold} {sweep.recommended}" for sweep in sweeps))
        return TooCloseReport(
            space=index.space,
            relation=index.relation,
            snapshot=self.snapshot.id,
            k=self.config.k,
            cases=len(self.cases),
            lists=len(self.lists.sources),
            duplicates=base.doubles_open / max(len(opened), 1),
            mrr=float(base.reciprocal.mean()),
            max_loss=MAX_LOSS,
            max_shortened=MAX_SHORTENED,
            sweeps=tuple(sweeps),
        )

    def _sweep(
        self, name: ThresholdName, likeness: FloatMatrix, grid: Sequence[float], base: "_Base"
    ) -> ThresholdSweep:
        pairs = PairExamples(self.snapshot, self.lists, base.lists, likeness, name)
        lists = [self.lists.under(Band.model_validate({name: value})) for value in grid]
        reciprocals = [self._reciprocal(each) for each in lists]
        losses = _losses(base.reciprocal, reciprocals, self.config)
        measured = [
            _Measured(
                base.effect(each, value, reciprocal, loss, pairs),
                reciprocal,
                base.shortened(each),
            )
            for each, value, reciprocal, loss in zip(lists, grid, reciprocals, losses, strict=True)
        ]
        recommended = _recommended(
            name, [each.effect for each in measured], float(base.reciprocal.mean())
        )
        return ThresholdSweep(
            threshold=name,
            effects=tuple(each.effect for each in measured),
            recommended=recommended,
            by_category=dict(self._by_category(name, measured, base, recommended)),
        )

    def _by_category(
        self,
        name: ThresholdName,
        measured: Sequence[_Measured],
        base: "_Base",
        of_space: float | None,
    ) -> Iterator[tuple[str, float]]:
        """Yield categories with cases enough for which another value is recommended."""
        catalog = self.snapshot.catalog
        codes = np.asarray(catalog.category_codes)
        of_case, of_list = codes[self.cases.queries], codes[self.lists.sources]
        counts = np.bincount(of_case, minlength=len(catalog.categories))
        for code in np.flatnonzero(counts >= LEAST_CASES):
            among = of_case == code
            mrr = base.reciprocal[among]
            losses = _losses(mrr, [each.reciprocal[among] for each in measured], self.config)
            effects = [
                each.effect.model_copy(
                    update={
                        "loss_high": loss[2],
                        "shortened": float(each.shortened[of_list == code].mean()),
                    }
                )
                for each, loss in zip(measured, losses, strict=True)
            ]
            recommended = _recommended(name, effects, float(mrr.mean()))
            if recommended is not None and recommended != of_space:
                yield catalog.categories[int(code)], recommended

    def _reciprocal(self, lists: IntMatrix) -> NDArray[np.float64]:
        """Return (n,) reciprocal rank of the item that came next, 0 where it is not in the list."""
        places = np.searchsorted(self.lists.sources, self.cases.queries)
        places = np.minimum(places, max(len(self.lists.sources) - 1, 0))
        known = self.lists.sources[places] == self.cases.queries
        hits = (lists[places] == self.cases.targets[:, np.newaxis]) & known[:, np.newaxis]
        ranks = np.arange(1, lists.shape[1] + 1)
        reciprocal: NDArray[np.float64] = (hits / ranks).sum(axis=1)
        return reciprocal


@dataclass(frozen=True, slots=True)
class _Base:
    """The lists without thresholds, which all others are held against."""

    lists: IntMatrix
    reciprocal: NDArray[np.float64]
    doubles: TitleDoubles
    doubles_open: int

    def shortened(self, lists: IntMatrix) -> NDArray[np.bool_]:
        """Tell of each list whether it was full and is no longer."""
        short: NDArray[np.bool_] = (self.lists[:, -1] >= 0) & (lists[:, -1] < 0)
        return short

    def effect(
        self,
        lists: IntMatrix,
        value: float,
        reciprocal: NDArray[np.float64],
        loss: tuple[float, float, float],
        pairs: PairExamples,
    ) -> ThresholdEffect:
        gone = _gone(self.lists, lists)
        left = self.doubles.count(lists) / self.doubles_open if self.doubles_open else 1.0
        return ThresholdEffect(
            value=value,
            removed=float(gone.mean()),
            changed=float((self.lists != lists).any(axis=1).mean()),
            shortened=float(self.shortened(lists).mean()),
            duplicates_removed=1 - left,
            mrr=float(reciprocal.mean()),
            loss=loss[0],
            loss_low=loss[1],
            loss_high=loss[2],
            removed_pairs=pairs.around(value, removed=True),
            kept_pairs=pairs.around(value, removed=False),
        )


def _gone(before: IntMatrix, after: IntMatrix) -> IntVector:
    """Return (s,) how many items of each list are not in the other one."""
    gone = np.zeros(len(before), dtype=np.int32)
    for column in before.T:
        stays = (after == column[:, np.newaxis]).any(axis=1)
        gone += (column >= 0) & ~stays
    return gone


def _grid(likeness: FloatMatrix, quantiles: Sequence[float]) -> list[float]:
    """Return distinct values, in the order of the quantiles; none where nothing is known."""
    known = likeness[~np.isnan(likeness)]
    if not len(known):
        return []
    rounded = np.round(np.quantile(known, quantiles).astype(np.float64), 3)
    return list(dict.fromkeys(np.clip(rounded, -1, 1).tolist()))


def _losses(
    without: NDArray[np.float64], reciprocals: Sequence[NDArray[np.float64]], config: EvaluateConfig
) -> list[tuple[float, float, float]]:
    """Return (mean, low, high) of what each loses, paired by case."""
    bootstrap = Bootstrap.of(np.column_stack([without, *reciprocals]), config)
    return [bootstrap.difference(0, column) for column in range(1, len(reciprocals) + 1)]


def _recommended(
    name: ThresholdName, effects: Sequence[ThresholdEffect], mrr: float
) -> float | None:
    """Return the value that removes most within the rule; see `TooCloseReport.rule`."""
    kept = [
        effect.value
        for effect in effects
        if effect.loss_high <= MAX_LOSS * mrr
        and (name == "min_similarity" or effect.shortened <= MAX_SHORTENED)
    ]
    return kept[-1] if kept else None
