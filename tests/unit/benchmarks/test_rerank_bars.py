from benchmarks import rerank_bars
from benchmarks.results import read_results


def test_bars_are_measured_printed_and_kept(tmp_path, capsys, ranked_snapshots):
    path = tmp_path / "results.jsonl"
    snapshot = ranked_snapshots.current(hint="build_ranked_shop")
    trained = snapshot.parents[1] / "ranker"
    rerank_bars.run(snapshot, trained, trees=3, leaves=4, passes=3, results=path)
    made, served = read_results(path)
    assert made.metrics["ours_of_lightgbm"] > 0
    assert served.metrics["features_and_predict_p50_s"] > 0
    assert served.data == snapshot.name
    printed = capsys.readouterr().out
    assert "LightGBM's own" in printed
    assert "p50 in ms" in printed


def test_ratios_are_those_of_neighbouring_calls():
    seconds = {"ours": [1.0, 4.0, 1.0], "lightgbm": [2.0, 8.0, 1.0]}
    (bar,), metrics = rerank_bars.predict_bars(seconds)
    assert (bar.value, bar.met) == (0.5, True)
    assert metrics == {"ours_s": 1.0, "lightgbm_s": 2.0, "ours_of_lightgbm": 0.5}
