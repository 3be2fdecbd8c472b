from pathlib import Path

import pytest

from artifacts.errors import ArtifactError
from benchmarks.difference_table import difference_text
from benchmarks.results import read_results
from benchmarks.results_change import Change, Difference, compare_results

GOLDEN = Path(__file__).parents[2] / "golden" / "results"


@pytest.fixture(scope="module")
def difference() -> Difference:
    return compare_results(
        read_results(GOLDEN / "before.jsonl"), read_results(GOLDEN / "after.jsonl")
    )


def of(difference: Difference, name: str, metric: str) -> Change:
    return next(
        change
        for change in difference.changes
        if change.key.name == name and change.metric == metric
    )


def test_slower_search_is_worse_and_so_is_its_higher_latency(difference):
    rate = of(difference, "faiss nprobe=4", "single_per_s")
    assert rate.change == pytest.approx(-0.25)
    assert rate.is_worse(0.05)
    assert not rate.is_better(0.05)
    latency = of(difference, "faiss nprobe=4", "single_p99_us")
    assert latency.change == pytest.approx(1 / 3)
    assert latency.is_worse(0.05)


def test_change_within_the_threshold_is_none(difference):
    assert not of(difference, "faiss nprobe=4", "single_per_s").is_worse(0.3)
    assert not of(difference, "exact", "single_per_s").is_worse(0)


def test_change_within_the_spread_of_the_passes_is_none(difference):
    rate = of(difference, "faiss nprobe=8", "single_per_s")
    assert rate.change == pytest.approx(-0.08)
    assert rate.interval == pytest.approx((4600 * 0.8 / 5100 - 1, 4600 * 1.2 / 4900 - 1))
    assert not rate.is_worse(0.05)


def test_repeats_of_the_newest_commit_give_an_interval_of_the_change(difference):
    words = of(difference, "prod2vec", "words_per_s")
    assert words.before == pytest.approx(15_000)
    assert words.change == pytest.approx(0.1)
    assert words.interval is not None
    low, high = words.interval
    assert 0.08 < low < 0.1 < high < 0.12
    assert words.is_better(0.05)


def test_bars_that_must_be_reached_and_bars_that_must_not_be_passed_differ(difference):
    floor, ceiling = (of(difference, f"bar: {n}", "value") for n in ("ours / theirs", "exponent"))
    assert floor.more_is_better
    assert floor.is_worse(0.05)
    assert not ceiling.more_is_better
    assert ceiling.is_worse(0.05)


def test_bounds_and_numbers_that_are_neither_good_nor_bad_are_not_judged(difference):
    metrics = {change.metric for change in difference.changes}
    assert metrics & {"single_low_per_s", "single_high_per_s", "needed"} == set()


def test_what_one_file_lacks_is_named(difference):
    assert [key.name for key in difference.only_before] == ["annoy old"]
    assert [key.name for key in difference.only_after] == ["simhash probe=0.5"]


def test_settings_that_differ_are_named_but_not_what_differs_by_nature(difference):
    assert difference.other_settings == {}
    before = read_results(GOLDEN / "before.jsonl")[:1]
    after = [before[0].model_copy(update={"config": before[0].config | {"repeats": 9}})]
    assert list(compare_results(before, after).other_settings.values()) == [["repeats"]]


def test_text_shows_what_is_worse_and_what_is_missing(difference):
    text = difference_text(difference, 0.05)
    assert "| search: faiss nprobe=4 | single_per_s | 8,000 | 6,000 | -25.0% (" in text
    assert "| train: prod2vec | words_per_s | 15,000 | 16,500 | +10.0% (+" in text
    assert "- search: annoy old" in text
    assert "faiss nprobe=8 | single_per_s" not in text


def test_other_machine_is_refused_unless_forced():
    before = read_results(GOLDEN / "before.jsonl")
    after = read_results(GOLDEN / "other-machine.jsonl")
    with pytest.raises(ArtifactError, match=r"Golden CPU.*Another CPU.*--force"):
        compare_results(before, after)
    forced = compare_results(before, after, force=True)
    assert of(forced, "exact", "single_per_s").is_worse(0.05)


def test_nothing_in_common_is_refused():
    results = read_results(GOLDEN / "before.jsonl")
    with pytest.raises(ArtifactError, match="both files have"):
        compare_results(results[:1], results[1:2])


def test_growth_from_nothing_has_no_share():
    (before,) = read_results(GOLDEN / "other-machine.jsonl")
    none = before.model_copy(update={"metrics": {"mrr": 0.0}})
    some = before.model_copy(update={"metrics": {"mrr": 0.1}})
    change = compare_results([none], [some]).changes[0]
    assert change.is_better(10)
    assert "from 0" in difference_text(compare_results([none], [some]), 0.05)
