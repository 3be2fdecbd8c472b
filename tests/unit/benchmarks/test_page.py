from html.parser import HTMLParser
from pathlib import Path

import pytest

from artifacts.errors import ConfigError
from benchmarks.metrics_table import metrics_table
from benchmarks.page import page
from benchmarks.page_charts import charts_of
from benchmarks.results import Result, read_results
from benchmarks.tables import by_suite, fill_marks, tables_of

GOLDEN = Path(__file__).parents[2] / "golden" / "results"


@pytest.fixture(scope="module")
def results() -> list[Result]:
    files = ("before.jsonl", "compare.jsonl", "several.jsonl")
    return [result for name in files for result in read_results(GOLDEN / name)]


class Outline(HTMLParser):
    """Notes what a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.headings: list[str] = []
        self.ids: list[str] = []
        self.tables = 0
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "img", "link", "iframe"}:
            self.fetched += [given[name] or "" for name in ("src", "href") if name in given]
        if given.get("id"):
            self.ids.append(given["id"] or "")
        self.tables += tag == "table"
        self._in_heading = tag == "h2"

    def handle_data(self, data: str) -> None:
        if self._in_heading and data.strip():
            self.headings.append(data)


def test_page_needs_nothing_else_and_has_a_section_for_each_suite(results):
    text = page(results)
    outline = Outline()
    outline.feed(text)
    assert outline.fetched == []
    assert len(outline.headings) == len(by_suite(results)) == 6
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.tables >= 8
    assert text.count("Plotly.newPlot(") >= text.count("<figure>") == 10
    assert 'name="viewport"' in text
    assert page(results) == text


def test_names_of_measurements_cannot_become_markup(results):
    text = page(results)
    assert "<b>simhash</b>" not in text.partition("</script></head>")[2]


def test_fronts_part_single_calls_from_batches(results):
    charts = charts_of("search_bars", by_suite(results)["search_bars"])
    assert [chart.title.rpartition(", ")[2] for chart in charts] == [
        "one query at a time",
        "in batches",
    ]
    annoy = next(trace for trace in charts[0].figure.data if trace.name == "annoy")
    assert list(annoy.x) == [0.85, 0.96]
    assert list(annoy.y) == [900, 400]


def test_lines_differ_by_more_than_colour(results):
    (chart, *_) = charts_of("search", by_suite(results)["search"])
    looks = [(trace.line.color, trace.marker.symbol) for trace in chart.figure.data]
    assert len({colour for colour, _ in looks}) == len({symbol for _, symbol in looks}) == 3


def test_rates_of_skipped_peers_are_left_out_of_the_chart(results):
    charts = charts_of("compare", by_suite(results)["compare"])
    names = [name for trace in charts[0].figure.data for name in trace.y]
    assert sorted(names) == [
        "faiss-ivf",
        "fastapi-ivf",
        "milvus-lite",
        "shelfmate-simhash",
        "voyager",
    ]


def test_suite_without_a_table_of_its_own_gets_a_plain_one(results):
    (text,) = tables_of("quality", by_suite(results)["quality"])
    assert text == metrics_table(by_suite(results)["quality"])
    assert "| what | sessions | mrr |" in text
    assert "0.155 [0.15, 0.16]" in text


def test_every_mark_that_has_records_is_filled(results, tmp_path):
    document = tmp_path / "page.md"
    marks = ("fastest", "growth", "compare", "unknown")
    document.write_text("\n".join(f"<!-- bench:{m} -->\n<!-- /bench:{m} -->" for m in marks))
    assert fill_marks(document, results) == {"fastest": True, "growth": True, "compare": True}
    text = document.read_text("utf-8")
    assert "| faiss nprobe=4 | 0.900 |" in text
    assert "faiss nprobe=8" not in text
    assert "| faiss | 1,000,000 |" in text
    assert fill_marks(document, results) == {"fastest": False, "growth": False, "compare": False}
    with pytest.raises(ConfigError, match="expected marks of one of"):
        fill_marks(document, by_suite(results)["quality"])
