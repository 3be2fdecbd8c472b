"""The table of docs/ranking.md, made from the latest records of the ranker's bar.

python -m benchmarks.rank_report benchmarks/results/rank.jsonl docs/ranking.md
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from artifacts.errors import ArtifactError
from benchmarks.rank_bars import NEEDED, SUITE
from benchmarks.report import fill
from benchmarks.results import Result, read_results
from trainer.ranker_report import RANKER


def latest_runs(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Return the records of the last run of each data set, best method first.

    Raises:
        ArtifactError: none was recorded.
    """
    ours = [result for result in results if result.suite == SUITE]
    if not ours:
        raise ArtifactError(f"results: expected records of the suite {SUITE!r}, found none")
    last = {result.config["dataset"]: result.config["run"] for result in ours}
    runs: dict[str, list[Result]] = {name: [] for name in last}
    for result in ours:
        name = result.config["dataset"]
        if result.config["run"] == last[name]:
            runs[name].append(result)
    return runs


def bars_table(runs: dict[str, list[Result]]) -> str:
    """Return the ranker beside the best fusion, one line a data set."""
    lines = [
        "| data | candidates hold | best fusion | ranker | ranker / best fusion | |",
        "|---|---|---|---|---|---|",
    ]
    for name, results in runs.items():
        methods = {result.name: result for result in results}
        ranker = methods[RANKER]
        fusion, m = methods[ranker.config["fusion"]], ranker.metrics
        met = m.get("ratio", 0) >= NEEDED and m.get("ratio_low", 0) > 1
        lines.append(
            f"| {name} | {m['pool_recall']:.1%} | {_interval(fusion)} ({fusion.name}) "
            f"| {_interval(ranker)} | {m['ratio']:.3f} [{m['ratio_low']:.3f}, "
            f"{m['ratio_high']:.3f}] | {'met' if met else 'not met'} |"
        )
    return "\n".join(lines)


def methods_table(results: Sequence[Result]) -> str:
    """Return every way to order the candidates of one data set."""
    hits = results[0].config["hits_k"]
    lines = [
        f"| order | NDCG@{results[0].config['k']} | MRR@{hits} | hit rate@{hits} "
        "| ranker's NDCG minus this |",
        "|---|---|---|---|---|",
    ]
    for result in results:
        m = result.metrics
        less = (
            ""
            if result.name == RANKER
            else f"{m['less_than_ranker']:+.4f} [{m['less_than_ranker_low']:+.4f}, "
            f"{m['less_than_ranker_high']:+.4f}]"
        )
        lines.append(
            f"| {result.name} | {_interval(result)} | {m['mrr']:.4f} | {m['hit_rate']:.4f} | {less} |"
        )
    return "\n".join(lines)


def circumstances(results: Sequence[Result]) -> str:
    """Return a sentence on what was measured, and where."""
    last = results[-1]
    features = ", ".join(f"`{name}`" for name in last.config["features"][:5])
    return (
        f"{last.data}: {last.config['contexts']:,} contexts, {last.config['candidates']:,} candidates; "
        f"{last.config['rounds']} trees, which gain most by {features}; {last.machine.cpu}, "
        f"{last.measured_at:%Y-%m-%d}, commit {last.machine.commit}."
    )


def _interval(result: Result) -> str:
    m = result.metrics
    return f"{m['ndcg']:.4f} [{m['ndcg_low']:.4f}, {m['ndcg_high']:.4f}]"


def main(
    results: Annotated[Path, typer.Argument(help="File of JSON lines.")],
    document: Annotated[Path, typer.Argument(help="Document whose marks are filled.")],
) -> None:
    """Fill the marks `rank-bars` and `rank-methods` of a document."""
    runs = latest_runs(read_results(results))
    fill(document, "rank-bars", bars_table(runs))
    parts = [
        f"**{name}**\n\n{methods_table(of_one)}\n\n{circumstances(of_one)}"
        for name, of_one in runs.items()
    ]
    fill(document, "rank-methods", "\n\n".join(parts))


if __name__ == "__main__":
    typer.run(main)
