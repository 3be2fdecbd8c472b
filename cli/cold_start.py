"""The cold-start simulator: hides known items from training and recommends beside them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.folders import write_file
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.ragged import Ragged
from cli.cold_scorers import (
    ColdScorer,
    ColdWorld,
    ContentOnly,
    Hybrid,
    HybridThresholds,
    NearestMean,
    PopularInCategory,
)
from cli.cold_thresholds import choose_thresholds
from cli.shop import ShopConfig, Workspace
from cli.training_inputs import open_prepared
from trainer.comparison import Compared, compare
from trainer.config import EvaluateConfig, TrainConfig
from trainer.content import fit_content
from trainer.content_config import ContentConfig
from trainer.decile_chart import write_decile_chart
from trainer.evaluate import MEGABYTE
from trainer.evaluation_report import EvaluationReport, Protocol
from trainer.hidden_items import HiddenItems, HidingConfig, hide_items
from trainer.prod2vec import fit_prod2vec
from trainer.ranking import Cases, Ranking
from trainer.scratch import scratch_folder
from trainer.session_ranking import PrefixCases, rank_prefixes


class CategoryScores(BaseModel):
    """All methods on the hidden items of one top category."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: str
    """Its name."""
    cases: int
    """Steps from one of its hidden items."""
    mrr: dict[str, float]
    """Mean reciprocal rank, by method."""


class ColdStartReport(BaseModel):
    """What can be recommended beside items that no session has held."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: int
    """Items taken out of the training sessions."""
    thresholds: HybridThresholds
    """What the hybrid did best with on the validation cut."""
    methods: EvaluationReport
    """Steps of held-out sessions from a hidden item; deciles by its popularity before it was
    hidden."""
    categories: tuple[CategoryScores, ...]
    """Top categories, most cases first."""

    def to_text(self) -> str:
        """Return tables for people, and the thresholds as TOML."""
        names = [result.method for result in self.methods.methods]
        width = max(len(scores.category) for scores in self.categories)
        lines = [
            f"{self.hidden:,} known items hidden from training; deciles are those of the hidden item",
            self.methods.to_text(),
            "",
            f"{'category':<{width}} {'cases':>7} {''.join(f'{name:>22}' for name in names)}",
        ]
        for scores in self.categories:
            cells = "".join(f"{scores.mrr[name]:>22.4f}" for name in names)
            lines.append(f"{scores.category:<{width}} {scores.cases:>7,} {cells}")
        return "\n".join([*lines, "", *self.thresholds_toml()])

    def thresholds_toml(self) -> Sequence[str]:
        """Return the thresholds as the table of a shop file that they belong to."""
        lines = ["[index.anchors]"]
        for name, value in self.thresholds.model_dump(exclude={"categories"}).items():
            lines.append(f"{name} = {value}")
        lines.append("per_category = false")  # as they are looked for here
        for category, least in self.thresholds.categories.items():
            name = json.dumps(category, ensure_ascii=False)  # quoted as in TOML
            lines += ["", f"[index.anchors.categories.{name}]", f"min_similarity = {least}"]
        return lines


@dataclass(frozen=True, slots=True)
class ColdStart:
    """What is simulated: settings of the spaces, of the lists, and of what is hidden."""

    train: TrainConfig
    evaluate: EvaluateConfig
    hiding: HidingConfig


def run_cold_start(shop: ShopConfig, progress: Progress) -> tuple[ColdStartReport, Path]:
    """Simulate new items in a shop; returns the report and the folder where it is written."""
    workspace = Workspace(shop.work_dir)
    settings = ColdStart(shop.train, shop.evaluate, HidingConfig())
    prepared, scratch = open_prepared(workspace), workspace.root / "cold-start"
    report = simulate_cold_start(prepared, settings, scratch, progress=progress)
    return report, write_cold_start(report, workspace.charts)


def simulate_cold_start(
    prepared: Prepared, settings: ColdStart, work: Path, *, progress: Progress
) -> ColdStartReport:
    """Hide items, learn without them, and predict what shoppers took next to them.

    The space `cf` is trained anew without the hidden items, `content` on the whole catalogue, as a
    shop would have it. Candidates are the items with a collaborative vector, for all methods alike.
    The hybrid's thresholds are chosen on a validation cut that training does not see either.

    Args:
        prepared: sessions and catalogue.
        settings: of everything.
        work: folder for what is written for the while.
        progress: told of each stage.

    Raises:
        DataError: nothing can be hidden, no step starts from a hidden item, or no item has text.

    Cost: one training of each space, then O(steps * candidates) for each method.
    """
    work.mkdir(parents=True, exist_ok=True)
    with hide_items(prepared, settings.hiding, work) as hidden:
        world = _world(prepared, hidden, settings, work, progress)
    validation = hidden.validation
    thresholds = choose_thresholds(
        world,
        validation.queries,
        lambda method: _rank(method, validation, settings.evaluate).reciprocal(settings.evaluate.k),
        progress=progress,
    )
    methods: list[ColdScorer] = [
        Hybrid(world, thresholds),
        ContentOnly(world),
        NearestMean(world),
        PopularInCategory(world),
    ]
    progress.start("score methods", total=len(methods))
    rankings = {}
    for method in methods:
        rankings[method.name] = _rank(method, hidden.heldout, settings.evaluate)
        progress.advance()
    progress.finish()
    return _report(prepared, hidden, thresholds, rankings, settings.evaluate)


def write_cold_start(report: ColdStartReport, folder: Path) -> Path:
    """Write `cold-start.json` and the charts by decile; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.model_dump(mode="json"), indent=2)
    write_file(folder / "cold-start.json", text.encode())
    write_decile_chart(report.methods, folder, stem="cold-start", of="the hidden item")
    return folder


def _world(
    prepared: Prepared, hidden: HiddenItems, settings: ColdStart, work: Path, progress: Progress
) -> ColdWorld:
    cf = fit_prod2vec(hidden.warm, settings.train.cf, work, progress=progress)
    with scratch_folder(work) as scratch:
        folder = scratch / "content"
        folder.mkdir()
        config = settings.train.content or ContentConfig()
        content: EmbeddingTable = fit_content(prepared, config, folder, progress=progress)
    catalog = prepared.catalog
    codes = np.asarray(catalog.category_codes)
    return ColdWorld(cf, content, hidden.counts, codes, catalog.categories)


class _AnyItem:
    """A method for items of all kinds, in the form in which sessions are ranked."""

    def __init__(self, method: ColdScorer) -> None:
        self.name = method.name
        self.rows: IntVector = method.rows
        self._method = method

    def scores(self, prefixes: Ragged) -> FloatMatrix:
        """Score for the one item of each prefix."""
        return self._method.scores(prefixes.values)


def _rank(method: ColdScorer, cases: Cases, config: EvaluateConfig) -> Ranking:
    # The query has no place among the candidates, so it is asked for as a session of one item.
    n = len(cases)
    prefixes = Ragged.of(np.ones(n, dtype=np.int64), cases.queries)
    steps = PrefixCases(prefixes, cases.targets, np.arange(n, dtype=np.int64))
    # A third of the block: likeness, products and their mask are held at the same time.
    block_bytes = config.block_mb * MEGABYTE // 3
    return rank_prefixes(_AnyItem(method), steps, k=config.k, block_bytes=block_bytes)


def _report(
    prepared: Prepared,
    hidden: HiddenItems,
    thresholds: HybridThresholds,
    rankings: dict[str, Ranking],
    config: EvaluateConfig,
) -> ColdStartReport:
    cases = hidden.heldout
    numbers = np.arange(len(cases), dtype=np.int64)
    compared = Compared(
        prepared, Protocol.LAST_STEP, config.k, cases.targets, numbers, parted_by=cases.queries
    )
    return ColdStartReport(
        hidden=len(hidden.hidden),
        thresholds=thresholds,
        methods=compare(compared, rankings, config),
        categories=_by_category(prepared, cases, rankings, config.k),
    )


def _by_category(
    prepared: Prepared, cases: Cases, rankings: dict[str, Ranking], k: int
) -> tuple[CategoryScores, ...]:
    codes = np.asarray(prepared.catalog.category_codes)[cases.queries]
    counts = np.bincount(codes, minlength=len(prepared.catalog.categories))
    order = [int(code) for code in np.argsort(-counts, kind="stable") if counts[code]]
    return tuple(
        CategoryScores(
            category=prepared.catalog.categories[code],
            cases=int(counts[code]),
            mrr={
                name: float(ranking.reciprocal(k)[codes == code].mean())
                for name, ranking in rankings.items()
            },
        )
        for code in order
    )
