from benchmarks.cold_start_bars import bar_lines
from benchmarks.session_bars import bar_line
from cli.cold_scorers import HybridThresholds
from cli.cold_start import CategoryScores, ColdStartReport
from trainer.evaluation_report import (
    Difference,
    EvaluationReport,
    Interval,
    MethodResult,
    Protocol,
)


def made_report(**mrr: float) -> EvaluationReport:
    def around(mean: float) -> Interval:
        return Interval(mean=mean, low=mean - 0.01, high=mean + 0.01)

    names = {name.replace("_", " "): value for name, value in mrr.items()}
    methods = tuple(
        MethodResult(
            method=name,
            items=9,
            mrr=around(value),
            hit_rate=around(value),
            ndcg=around(value),
            coverage=0.5,
            gini=0.5,
            novelty=5.0,
            deciles=(),
        )
        for name, value in names.items()
    )
    (one, first), (other, second), *_ = names.items()
    return EvaluationReport(
        prepared="made",
        protocol=Protocol.EVERY_STEP,
        k=20,
        confidence=0.95,
        sessions=5,
        cases=9,
        items=9,
        methods=methods,
        differences=(Difference(method=one, against=other, mrr=around(first - second)),),
        deciles=(),
    )


def test_vectors_meet_their_bar_where_they_are_not_behind_session_knn():
    ahead = made_report(cf_session_vectors=0.2, VSKNN=0.15)
    assert bar_line(ahead).endswith("met")
    assert "+0.0500" in bar_line(ahead)
    behind = made_report(VSKNN=0.2, cf_session_vectors=0.15)
    assert "-0.0500" in bar_line(behind)
    assert bar_line(behind).endswith("NOT met")


def test_the_hybrid_has_a_bar_for_each_simpler_method():
    report = ColdStartReport(
        hidden=3,
        thresholds=HybridThresholds(),
        methods=made_report(hybrid=0.06, content_alone=0.04, popular_in_category=0.04),
        categories=(CategoryScores(category="all", cases=9, mrr={}),),
    )
    assert bar_lines(report) == [
        "hybrid / popular in category: 1.50 (bar 2): NOT met",
        "hybrid / content alone: 1.50 (bar 1.2): met",
    ]
