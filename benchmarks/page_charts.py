"""Charts of the report: readable on a phone, and without telling colours apart."""

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from benchmarks.compare.comparison import SUITE as COMPARE
from benchmarks.growth import SUITE as GROWTH
from benchmarks.growth_report import CURVES, latest
from benchmarks.report import pareto
from benchmarks.results import Result
from benchmarks.search_report import latest_run

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Of Okabe and Ito 2008, which the colour-blind tell apart; their yellow is lost on white."""
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "triangle-down")
DASHES = ("solid", "dash", "dot", "dashdot")
KINDS = {"ours": ("#D55E00", ""), "server": ("#0072B2", "/"), "library": ("#56B4E9", ".")}
"""Colour and hatching."""
PLOT_PX = 360
LINE_PX = 22


class Chart(NamedTuple):
    """A figure and what it shows."""

    title: str
    figure: go.Figure


class Line(NamedTuple):
    """Points of one name."""

    name: str
    x: list[float]
    y: list[float]
    labels: list[str]


def charts_of(suite: str, results: Sequence[Result]) -> list[Chart]:
    """Return the charts of the records of a suite; none where a table says it all."""
    if suite == COMPARE:
        return list(_rate_charts(results))
    if suite == GROWTH:
        return list(_growth_charts(results))
    return list(_front_charts(results))


def _front_charts(results: Sequence[Result]) -> Iterator[Chart]:
    """Yield fronts of recall against speed, one queries at a time and batched."""
    points = [result for result in results if "recall" in result.metrics]
    if points and "run" in points[0].config:
        run = latest_run(points, points[0].suite)
        points = [result for result in run if "family" in result.config]
        single = [result for result in points if result.config.get("batch", 1) == 1]
        rest = [result for result in points if result.config.get("batch", 1) != 1]
        fronts = {"one query at a time": single, "in batches": rest}
        for title, chosen in fronts.items():
            yield from _front(title, chosen, "family", "queries_per_s")
        return
    for title, speed in (("one query at a time", "single_per_s"), ("in batches", "batched_per_s")):
        yield from _front(title, [one for one in points if speed in one.metrics], "kind", speed)


def _front(title: str, points: Sequence[Result], by: str, speed: str) -> Iterator[Chart]:
    groups: dict[str, list[Result]] = {}
    for point in points:
        groups.setdefault(str(point.config.get(by, point.name)), []).append(point)
    lines = [_line(name, pareto(group, speed=speed), speed) for name, group in groups.items()]
    if lines:
        figure = _figure(lines, "recall@k", "queries a second")
        figure.update_yaxes(type="log")
        yield Chart(f"Recall against speed, {title}", figure)


def _line(name: str, points: Sequence[Result], speed: str) -> Line:
    return Line(
        name,
        [point.metrics["recall"] for point in points],
        [point.metrics[speed] for point in points],
        [point.name for point in points],
    )


def _growth_charts(results: Sequence[Result]) -> Iterator[Chart]:
    """Yield a chart for each thing that grows with the rows."""
    shown = [result for result in latest(results) if "build_s" in result.metrics]
    for metric, label in CURVES.items():
        lines = []
        for kind in dict.fromkeys(result.config["kind"] for result in shown):
            points = [result for result in shown if result.config["kind"] == kind]
            rows = [float(point.config["rows"]) for point in points]
            values = [point.metrics[metric] for point in points]
            lines.append(Line(kind, rows, values, [point.name for point in points]))
        figure = _figure(lines, "rows", label)
        figure.update_xaxes(type="log")
        figure.update_yaxes(type="log")
        yield Chart(f"Growth: {label}", figure)


def _rate_charts(results: Sequence[Result]) -> Iterator[Chart]:
    """Yield bars of the rates of the last comparison, a chart for each size of a batch."""
    rows = [result for result in latest_run(results, COMPARE) if "queries_per_s" in result.metrics]
    for batch in dict.fromkeys(result.config["batch"] for result in rows):
        of_batch = [result for result in rows if result.config["batch"] == batch]
        figure = go.Figure()
        for kind, (colour, pattern) in KINDS.items():
            chosen = [result for result in of_batch if result.config["kind"] == kind]
            figure.add_bar(
                y=[html.escape(result.config["peer"]) for result in chosen],
                x=[result.metrics["queries_per_s"] for result in chosen],
                text=[_limit(result) for result in chosen],
                orientation="h",
                name=kind,
                marker={"color": colour, "pattern": {"shape": pattern}},
            )
        figure.update_layout(barmode="stack")
        _lay_out(figure, "queries a second within the limit", "", len(KINDS))
        figure.update_layout(height=PLOT_PX + LINE_PX * len(of_batch))
        figure.update_yaxes(autorange="reversed")
        yield Chart(f"Queries a second, batch {batch}", figure)


def _limit(result: Result) -> str:
    return f"{result.metrics['queries_per_s']:,.0f} (p99 within {result.config['limit_ms']:g} ms)"


def _figure(lines: Sequence[Line], x: str, y: str) -> go.Figure:
    figure = go.Figure()
    for number, line in enumerate(lines):
        figure.add_scatter(
            x=line.x,
            y=line.y,
            name=html.escape(line.name),
            text=[html.escape(label) for label in line.labels],
            hovertemplate="%{text}<br>%{x:.4g}, %{y:,.4g}<extra></extra>",
            mode="lines+markers",
            **_style(number),
        )
    _lay_out(figure, x, y, len(lines))
    return figure


def _style(number: int) -> Mapping[str, object]:
    colour = COLOURS[number % len(COLOURS)]
    return {
        "line": {"color": colour, "dash": DASHES[number // len(COLOURS) % len(DASHES)]},
        "marker": {"color": colour, "size": 9, "symbol": SYMBOLS[number % len(SYMBOLS)]},
    }


def _lay_out(figure: go.Figure, x: str, y: str, entries: int) -> None:
    """Lay a figure out for a narrow screen: the legend stands below, and nothing beside the axes."""
    figure.update_layout(
        template="plotly_white",
        height=PLOT_PX + LINE_PX * entries,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "yanchor": "top", "y": -0.25, "x": 0},
        font={"size": 13},
        dragmode=False,
    )
    figure.update_xaxes(title=x, automargin=True)
    figure.update_yaxes(title=y, automargin=True)
