from itertools import pairwise

import pytest

from artifacts.errors import DataError
from artifacts.progress import SilentProgress
from tests.made_sessions import prepare_sessions, read_sessions, themed_sessions
from trainer.config import EvaluateConfig, Prod2VecConfig
from trainer.decile_chart import write_decile_chart
from trainer.evaluate_sessions import evaluate_sessions
from trainer.evaluation_report import EvaluationReport, Protocol
from trainer.prod2vec import fit_prod2vec

CONFIG = EvaluateConfig(every_step_k=5, resamples=200)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    return prepare_sessions(folder, themed_sessions(400), split={"kind": "random", "fraction": 0.3})


@pytest.fixture(scope="module")
def table(prepared, tmp_path_factory):
    config = Prod2VecConfig(dimensions=16, epochs=10, negative=5, workers=1)
    return fit_prod2vec(prepared, config, tmp_path_factory.mktemp("fit"), progress=SilentProgress())


@pytest.fixture(scope="module")
def report(prepared, table) -> EvaluationReport:
    return evaluate_sessions(prepared, table, CONFIG, progress=SilentProgress())


def test_every_step_of_every_session_is_a_case(prepared, report):
    sessions = read_sessions(prepared.heldout_sessions, prepared).values()
    assert report.protocol is Protocol.EVERY_STEP
    assert report.sessions == len(sessions)
    assert report.cases == sum(len(session) - 1 for session in sessions)


def test_sequential_rules_agree_with_a_plain_loop(prepared, report):
    rules: dict[tuple[str, str], float] = {}
    for session in read_sessions(prepared.train_sessions, prepared).values():
        for place, item in enumerate(session):
            for back in range(1, place + 1):
                pair = (session[place - back], item)
                rules[pair] = rules.get(pair, 0) + 1 / back**2
    reciprocal = []
    for session in read_sessions(prepared.heldout_sessions, prepared).values():
        for query, target in pairwise(session):
            known = {there: w for (here, there), w in rules.items() if here == query != there}
            own = known.get(target)
            rank = sum(weight >= own - 1e-9 for weight in known.values()) if own else 0
            reciprocal.append(1 / rank if 1 <= rank <= 5 else 0)
    mean = sum(reciprocal) / len(reciprocal)
    assert report.method("SR").mrr.mean == pytest.approx(mean, abs=2e-3)


def test_whole_prefixes_help_where_sessions_have_a_theme(report):
    assert {"VSKNN", "cf whole prefix"} < {result.method for result in report.methods}
    best = report.method("cf whole prefix").mrr
    assert best.low > 2 * report.method("most popular").mrr.high


def test_a_part_of_the_sessions_can_be_scored(prepared, table):
    reports = [
        evaluate_sessions(prepared, table, CONFIG, most_sessions=20, progress=SilentProgress())
        for _ in range(2)
    ]
    assert reports[0].sessions == 20
    assert reports[0] == reports[1]


def test_report_reads_as_a_table_and_as_json(report):
    assert report.to_text().startswith(f"{report.cases:,} next items of {report.sessions:,}")
    assert EvaluationReport.model_validate(report.to_json()) == report


def test_chart_is_a_page_and_a_picture_that_name_every_method(report, tmp_path):
    files = write_decile_chart(report, tmp_path / "charts")
    page = files.page.read_text("utf-8")
    assert all(result.method in page for result in report.methods)
    assert files.picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in files.page.parent.iterdir()) == [
        "every-step.html",
        "every-step.png",
    ]


def test_nothing_held_out_is_an_error(tmp_path, table):
    prepared = prepare_sessions(tmp_path, themed_sessions(400), split={"kind": "none"})
    with pytest.raises(DataError, match="no session to evaluate on"):
        evaluate_sessions(prepared, table, CONFIG, progress=SilentProgress())
