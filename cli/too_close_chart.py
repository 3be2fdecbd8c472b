"""A chart of what thresholds of likeness cost and buy, as page and as picture."""

import io
from pathlib import Path

import plotly.graph_objects as go
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from artifacts.folders import write_file
from cli.too_close_report import ThresholdEffect, ThresholdSweep, TooCloseReport

INCHES = (15.0, 5.5)
DOTS_PER_INCH = 110
COLOURS = {
    "duplicates removed": "#2ca02c",
    "lists shortened": "#ff7f0e",
    "MRR lost": "#d62728",
}


def write_too_close_chart(report: TooCloseReport, folder: Path, stem: str) -> Path:
    """Draw `<stem>.html` and `<stem>.png` in `folder`, replacing older ones; return the page."""
    page = folder / f"{stem}.html"
    write_file(page, _page(report).encode())
    write_file(folder / f"{stem}.png", _picture(report))
    return page


def _shares(effect: ThresholdEffect, mrr: float) -> dict[str, float]:
    return {
        "duplicates removed": effect.duplicates_removed,
        "lists shortened": effect.shortened,
        "MRR lost": effect.loss / mrr if mrr else 0.0,
    }


def _curve(report: TooCloseReport, sweep: ThresholdSweep, what: str) -> list[float]:
    return [_shares(effect, report.mrr)[what] for effect in sweep.effects]


def _title(report: TooCloseReport) -> str:
    return f"Too close, too far: {report.space} {report.relation}, lists of {report.k}"


def _page(report: TooCloseReport) -> str:
    names = [sweep.threshold for sweep in report.sweeps]
    figure = make_subplots(rows=1, cols=len(names), subplot_titles=names, shared_yaxes=True)
    for column, sweep in enumerate(report.sweeps, 1):
        for what, colour in COLOURS.items():
            figure.add_trace(_line(report, sweep, what, colour, first=column == 1), 1, column)
        if sweep.recommended is not None:
            figure.add_vline(x=sweep.recommended, line_dash="dash", row=1, col=column)
    figure.update_layout(title=_title(report), template="plotly_white")
    figure.update_yaxes(tickformat=".0%")
    page: str = figure.to_html(include_plotlyjs=True, full_html=True, div_id="too-close")
    return page


def _line(
    report: TooCloseReport, sweep: ThresholdSweep, what: str, colour: str, *, first: bool
) -> go.Scatter:
    return go.Scatter(
        x=[effect.value for effect in sweep.effects],
        y=_curve(report, sweep, what),
        mode="lines+markers",
        name=what,
        legendgroup=what,
        showlegend=first,
        line={"color": colour},
    )


def _picture(report: TooCloseReport) -> bytes:
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)  # draws without a display
    figure.suptitle(_title(report), parse_math=False)
    for column, sweep in enumerate(report.sweeps, 1):
        axes = figure.add_subplot(1, len(report.sweeps), column)
        values = [effect.value for effect in sweep.effects]
        for what, colour in COLOURS.items():
            curve = [100 * share for share in _curve(report, sweep, what)]
            axes.plot(values, curve, marker="o", color=colour, label=what)
        if sweep.recommended is not None:
            axes.axvline(sweep.recommended, linestyle="--", color="0.5", label="recommended")
        axes.set_title(sweep.threshold)
        axes.set_xlabel("cosine")
        axes.set_ylabel("per cent")
        axes.legend(frameon=False)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()
