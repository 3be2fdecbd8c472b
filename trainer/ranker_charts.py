"""Charts of a ranker: what its trees go by, and how well it orders popular and rare items."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from artifacts.folders import write_file
from trainer.ranker_report import RANKER, Importance, RankerReport

INCHES = (10.0, 6.0)
DOTS_PER_INCH = 120
MOST_FEATURES = 30
"""Features that are drawn, those of the greatest gain."""


@dataclass(frozen=True, slots=True)
class RankerCharts:
    """What `write_ranker_charts` wrote."""

    importance: Path
    """PNG: gain and splits of the features."""
    deciles: Path
    """PNG: NDCG by popularity of what came next."""


def write_ranker_charts(report: RankerReport, folder: Path) -> RankerCharts:
    """Draw `ranker-importance.png` and `ranker-deciles.png` in `folder`, replacing older ones.

    Args:
        report: what is drawn.
        folder: an existing or new folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    charts = RankerCharts(folder / "ranker-importance.png", folder / "ranker-deciles.png")
    write_file(charts.importance, _importance_picture(report))
    write_file(charts.deciles, _decile_picture(report))
    return charts


def _importance_picture(report: RankerReport) -> bytes:
    shown = report.importances[:MOST_FEATURES]
    figure = _figure(height=max(3.0, 1.0 + 0.28 * len(shown)))
    by_gain, by_splits = figure.subplots(1, 2, sharey=True)
    _bars(by_gain, shown, [each.gain for each in shown], "share of the gain")
    _bars(by_splits, shown, [float(each.splits) for each in shown], "splits")
    figure.suptitle(f"Features of the ranker, {report.rounds} trees")
    return _png(figure)


def _bars(axes: Axes, shown: tuple[Importance, ...], values: list[float], label: str) -> None:
    places = np.arange(len(shown))[::-1]  # the greatest on top
    axes.barh(places, values)
    axes.set_ylim(-1, len(shown))
    axes.set_yticks(places, [each.feature for each in shown], parse_math=False)
    axes.set_xlabel(label)


def _decile_picture(report: RankerReport) -> bytes:
    figure = _figure(height=INCHES[1])
    axes = figure.add_subplot()
    for result in report.methods:
        axes.plot(
            range(len(report.deciles)),
            result.deciles,
            marker="o",
            linewidth=3.0 if result.method == RANKER else 1.2,
            label=f" {result.method}",
        )
    # Few contexts ask for rare items: how many tells how far a point may be believed.
    ticks = [f"{decile.lowest:,}-{decile.highest:,}\n{decile.cases:,}" for decile in report.deciles]
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_xlabel("training sessions that hold the item, tenths of the items; below: contexts")
    axes.set_ylabel(f"NDCG@{report.k}, contexts with a hit")
    axes.set_ylim(bottom=0)
    axes.set_title(f"NDCG@{report.k} by popularity of what came next")
    beside = axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for text in beside.get_texts():
        text.set_parse_math(False)
    return _png(figure)


def _figure(height: float) -> Figure:
    figure = Figure(figsize=(INCHES[0], height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)  # draws without a display
    return figure


def _png(figure: Figure) -> bytes:
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()
