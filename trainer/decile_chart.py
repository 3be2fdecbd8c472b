"""A chart of how well methods do on popular and on rare items, as page and as picture."""

import html
import io
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from artifacts.folders import write_file
from trainer.evaluation_report import EvaluationReport

INCHES = (10.0, 6.0)
DOTS_PER_INCH = 120
NEXT_ITEM = "the next item"


@dataclass(frozen=True, slots=True)
class ChartFiles:
    """What `write_decile_chart` wrote."""

    page: Path
    """HTML to explore; it holds all that it needs."""
    picture: Path
    """PNG."""


def write_decile_chart(
    report: EvaluationReport, folder: Path, *, stem: str | None = None, of: str = NEXT_ITEM
) -> ChartFiles:
    """Draw `<stem>.html` and `<stem>.png` in `folder`, replacing older ones.

    Args:
        report: its deciles are drawn.
        folder: an existing or new folder.
        stem: name of the files; None takes the protocol.
        of: the item whose popularity the deciles part, for the title.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = stem or str(report.protocol)
    files = ChartFiles(folder / f"{stem}.html", folder / f"{stem}.png")
    title = f"MRR@{report.k} by popularity of {of}"
    write_file(files.page, _page(report, title).encode())
    write_file(files.picture, _picture(report, title))
    return files


def _ticks(report: EvaluationReport) -> list[str]:
    return [f"{decile.lowest:,}-{decile.highest:,}" for decile in report.deciles]


def _page(report: EvaluationReport, title: str) -> str:
    ticks = _ticks(report)
    figure = go.Figure(
        [
            go.Scatter(
                x=list(range(len(ticks))),
                y=[score.mrr for score in result.deciles],
                mode="lines+markers",
                name=html.escape(result.method),
            )
            for result in report.methods
        ]
    )
    figure.update_layout(
        title=title,
        template="plotly_white",
        xaxis={
            "title": "training sessions that hold the item, tenths of the items",
            "tickvals": list(range(len(ticks))),
            "ticktext": ticks,
        },
        yaxis={"title": f"MRR@{report.k}", "rangemode": "tozero"},
    )
    page: str = figure.to_html(include_plotlyjs=True, full_html=True, div_id="deciles")
    return page


def _picture(report: EvaluationReport, title: str) -> bytes:
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)  # draws without a display
    axes = figure.add_subplot()
    ticks = _ticks(report)
    for result in report.methods:
        scores = [score.mrr for score in result.deciles]
        axes.plot(range(len(ticks)), scores, marker="o", label=f" {result.method}")
    axes.set_xticks(range(len(ticks)), ticks, rotation=45)
    axes.set_xlabel("training sessions that hold the item, tenths of the items")
    axes.set_ylabel(f"MRR@{report.k}")
    axes.set_ylim(bottom=0)
    axes.set_title(title, parse_math=False)
    for text in axes.legend(frameon=False).get_texts():
        text.set_parse_math(False)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()
