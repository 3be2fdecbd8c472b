"""Table, chart and projection of the growth of each backend."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from artifacts.folders import write_file
from benchmarks.results import Result

PROJECTED = 110_000_000
LEAST_ROWS = 1_000_000
"""Smaller catalogues fit the processor's caches and say little about large ones."""

INCHES = (13.0, 8.0)
DOTS_PER_INCH = 100

CURVES = {
    "build_s": "build, seconds",
    "peak_private_bytes": "private memory of the build, bytes",
    "size_bytes": "size on disk, bytes",
    "single_us": "query at recall 0.90, microseconds",
}


def latest(results: Sequence[Result]) -> list[Result]:
    """Return the last result of each backend and number of rows, by both."""
    last = {(result.config["kind"], result.config["rows"]): result for result in results}
    kinds = list(dict.fromkeys(result.config["kind"] for result in results))
    return sorted(last.values(), key=lambda r: (kinds.index(r.config["kind"]), r.config["rows"]))


def growth_table(results: Sequence[Result]) -> str:
    """Return a Markdown table, a line for each backend and number of rows."""
    lines = [
        "| backend | rows | build | private peak | size | load | recall@10 | query | batched |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    shown = latest(results)
    lines += [_row(result) for result in shown]
    if shown:
        newest = max(shown, key=lambda result: result.measured_at)
        machine = newest.machine
        loads = [result.config.get("load_average", 0.0) for result in shown]
        lines.append(
            f"\n{machine.cpu}, {machine.cores} cores, {machine.memory_gib:.0f} GiB; builds on all "
            f"cores, searches on one, k = {newest.config['k']}, {newest.config['queries']} queries; "
            f"the fastest setting tried that reaches recall 0.90, or the one of the highest recall "
            f"where none does; load average {min(loads):.1f} to {max(loads):.1f}; "
            f"{newest.measured_at:%Y-%m-%d}, commit {machine.commit}."
        )
    return "\n".join(lines)


def _row(result: Result) -> str:
    head = f"| {result.config['kind']} | {result.config['rows']:,} |"
    m = result.metrics
    if "build_s" not in m:
        what = f"not within {m['timed_out_s']:,.0f} s" if "timed_out_s" in m else "failed"
        return f"{head} {what} | | | | | | |"
    return (
        f"{head} {m['build_s']:,.1f} s | {_bytes(m['peak_private_bytes'])} "
        f"| {_bytes(m['size_bytes'])} | {m['load_s'] * 1e3:,.0f} ms | {m['recall']:.3f} "
        f"| {m['single_us']:,.0f} us | {m['batched_us']:,.0f} us |"
    )


def _bytes(count: float) -> str:
    return f"{count / 2**30:,.2f} GiB" if count >= 2**30 else f"{count / 2**20:,.0f} MiB"


def projection_table(results: Sequence[Result], rows: int = PROJECTED) -> str:
    """Return what each backend would take at `rows` rows, as its two largest sizes suggest.

    A power law through the two largest sizes that were measured: crude, and no better than the
    largest of them. Nothing is projected from fewer than a million rows.
    """
    largest = max((result.config["rows"] for result in results), default=0)
    if largest < LEAST_ROWS:
        return (
            f"Not projected: {largest:,} rows are the most that were measured, and a projection "
            f"takes {LEAST_ROWS:,}."
        )
    lines = [
        f"| backend | from | build | private peak | size | query | at {rows:,} rows: exponents of "
        "build, memory, size, query |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in dict.fromkeys(result.config["kind"] for result in results):
        of_kind = [
            result
            for result in latest(results)
            if result.config["kind"] == kind and "build_s" in result.metrics
        ]
        if len(of_kind) > 1 and of_kind[-1].config["rows"] >= LEAST_ROWS:
            lines.append(_projected(kind, of_kind[-2], of_kind[-1], rows))
    return "\n".join(lines)


def _projected(kind: str, small: Result, large: Result, rows: int) -> str:
    values, exponents = {}, {}
    sizes = (small.config["rows"], large.config["rows"])
    for name in CURVES:
        pair = (small.metrics[name], large.metrics[name])
        exponents[name] = exponent(sizes, pair)
        values[name] = pair[1] * (rows / sizes[1]) ** exponents[name]
    grown = ", ".join(f"{value:.2f}" for value in exponents.values())
    return (
        f"| {kind} | {sizes[1]:,} | {values['build_s'] / 3600:,.1f} h "
        f"| {_bytes(values['peak_private_bytes'])} | {_bytes(values['size_bytes'])} "
        f"| {values['single_us'] / 1e3:,.1f} ms | {grown} |"
    )


def exponent(rows: tuple[int, int], values: tuple[float, float]) -> float:
    """Return e of the power law values ~ rows^e through two points."""
    return float(np.log(values[1] / values[0]) / np.log(rows[1] / rows[0]))


def write_growth_chart(results: Sequence[Result], path: Path) -> None:
    """Draw a line for each backend, both axes logarithmic, as PNG."""
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)  # draws without a display
    shown = [result for result in latest(results) if "build_s" in result.metrics]
    for place, (name, label) in enumerate(CURVES.items(), 1):
        axes = figure.add_subplot(2, 2, place)
        for kind in dict.fromkeys(result.config["kind"] for result in shown):
            points = [result for result in shown if result.config["kind"] == kind]
            axes.plot(
                [result.config["rows"] for result in points],
                [result.metrics[name] for result in points],
                marker="o",
                label=kind,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("rows")
        axes.set_ylabel(label)
        axes.legend(frameon=False)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    write_file(path, written.getvalue())
