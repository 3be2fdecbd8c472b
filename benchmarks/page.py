"""The report: one HTML page that needs nothing else, neither a network nor a server."""

import html
import json
from collections.abc import Sequence

from markdown_it import MarkdownIt
from plotly.offline import get_plotlyjs

from benchmarks.machine import Machine
from benchmarks.page_charts import Chart, charts_of
from benchmarks.results import Result
from benchmarks.tables import by_suite, tables_of

TITLE = "Measurements"
TITLES = {
    "search": "Search: every backend over its settings",
    "search_bars": "Search: what SimHash promises",
    "tuner_bars": "Search: what the tuner chooses",
    "protocol_bars": "Search: what our own calls cost",
    "compare": "Beside what one would take instead",
    "serving_bars": "Serving under load",
    "serving_steps": "Serving, step by step",
    "growth": "Growth with the catalogue",
    "precompute": "Neighbours of everything",
    "prepare": "Preparation",
    "train": "Training",
    "quality": "Quality of recommendations",
    "sessions": "Sessions",
    "cold start": "Products without sessions",
    "images": "Images",
    "load": "Loads on a server",
    "ltr": "Ranking: learnt beside fused",
    "rank": "Ranking: the table it learns from",
    "rerank": "Ranking: what it costs",
    "nightly": "The nightly build",
}
"""Of suites; others are called by their names."""

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
  margin: 0 auto; padding: 0 1rem 4rem; max-width: 72rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; margin-top: 3rem; border-top: 1px solid #bbb;
  padding-top: 1rem; } h3 { font-size: 1.05rem; }
nav a { display: inline-block; padding: .3rem .8rem .3rem 0; }
a { color: #0050a0; }
.wide { overflow-x: auto; } .wide:focus-visible { outline: 3px solid #0050a0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #ddd; padding: .3rem .7rem .3rem 0; text-align: left;
  vertical-align: top; }
th { border-bottom: 2px solid #888; } td:first-child { min-width: 9rem; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; }
details { margin: 1rem 0; } pre { white-space: pre-wrap; font-size: .8rem; }
"""
OPTIONS = {"responsive": True, "displaylogo": False, "displayModeBar": False}

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def page(results: Sequence[Result]) -> str:
    """Return the page of all records, a section for each suite.

    Args:
        results: records, at least one; of measurements that were repeated the last ones are shown.
    """
    suites = by_suite(results)
    sections = [_section(suite, records) for suite, records in suites.items()]
    links = "".join(
        f'<a href="#{_anchor(suite)}">{html.escape(_title(suite))}</a>' for suite in suites
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{TITLE}</title><style>{STYLE}</style>",
            f"<script>{get_plotlyjs()}</script></head><body>",
            f"<h1>{TITLE}</h1>",
            f"<p>{_circumstances(results)}</p>",
            f"<nav>{links}</nav>",
            "<main>",
            *sections,
            "</main>",
            _machines(results),
            "</body></html>\n",
        ]
    )


def _section(suite: str, results: Sequence[Result]) -> str:
    anchor = _anchor(suite)
    charts = [
        _chart(chart, f"{anchor}-{number}")
        for number, chart in enumerate(charts_of(suite, results))
    ]
    tables = [_table(text) for text in tables_of(suite, results)]
    title = html.escape(_title(suite))
    return "\n".join([f'<section id="{anchor}"><h2>{title}</h2>', *charts, *tables, "</section>"])


def _chart(chart: Chart, name: str) -> str:
    drawn: str = chart.figure.to_html(
        full_html=False, include_plotlyjs=False, div_id=name, config=OPTIONS
    )
    return f"<figure><figcaption>{html.escape(chart.title)}</figcaption>{drawn}</figure>"


def _table(markdown: str) -> str:
    """Return tables that scroll within themselves, so that the page never does so sideways."""
    drawn: str = _MARKDOWN.render(markdown)
    opened = drawn.replace("<table>", '<div class="wide" tabindex="0"><table>')
    return opened.replace("</table>", "</table></div>")


def _title(suite: str) -> str:
    return TITLES.get(suite, suite)


def _anchor(suite: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in suite)


def _circumstances(results: Sequence[Result]) -> str:
    days = sorted(f"{result.measured_at:%Y-%m-%d}" for result in results)
    machines = dict.fromkeys(_machine(result.machine) for result in results)
    commits = dict.fromkeys(result.machine.commit for result in results)
    when = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    return html.escape(
        f"{len(results):,} records of {when}, measured on {'; '.join(machines)}. "
        f"Commits: {', '.join(commits)}."
    )


def _machine(machine: Machine) -> str:
    return (
        f"{machine.cpu}, {machine.cores} core(s), {machine.memory_gib:.0f} GiB, {machine.system}, "
        f"Python {machine.python}"
    )


def _machines(results: Sequence[Result]) -> str:
    """Return the releases that were measured with, folded away."""
    found = dict.fromkeys(
        json.dumps(result.machine.model_dump(), indent=1, sort_keys=True) for result in results
    )
    blocks = "".join(f"<pre>{html.escape(text)}</pre>" for text in found)
    return f"<details><summary>Machines, releases and commits</summary>{blocks}</details>"
