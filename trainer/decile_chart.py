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


@dataclass(frozen=True, slots=True)
class ChartFiles:
    """What `write_decile_chart` wrote."""

    page: Path
    """HTML to explore; it holds all that it needs."""
    picture: Path
    """PNG."""


def write_decile_chart(report: EvaluationReport, folder: Path) -> ChartFiles:
    """Draw `<protocol>.html` and `<protocol>.png` in `folder`, replacing older ones."""
    folder.mkdir(parents=True, exist_ok=True)
    files = ChartFiles(folder / f"{report.protocol}.html", folder / f"{report.protocol}.png")
    write_file(files.page, _page(report).encode())
    write_file(files.picture, _picture(report))
    return files


def _ticks(report: EvaluationReport) -> list[str]:
    return [f"{decile.lowest:,}-{decile.highest:,}" for decile in report.deciles]


def _title(report: EvaluationReport) -> str:
    return f"MRR@{report.k} by popularity of the next item"


def _page(report: EvaluationReport) -> str:
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
        title=_title(report),
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


def _picture(report: EvaluationReport) -> bytes:
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
    axes.set_title(_title(report), parse_math=False)
    for text in axes.legend(frameon=False).get_texts():
        text.set_parse_math(False)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()
