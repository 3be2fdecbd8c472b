"""The stage `evaluate`: predict the last item of held-out sessions from the one before it."""

from itertools import combinations

import numpy as np
import pyarrow.parquet as pq

from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from trainer.bootstrap import Bootstrap
from trainer.config import EvaluateConfig
from trainer.evaluation_report import Difference, EvaluationReport, Interval, MethodResult
from trainer.ranking import Cases, Ranking, rank_cases
from trainer.scorers import CoOccurrenceScorer, EmbeddingScorer, PopularityScorer, Scorer

__all__ = ["EvaluationReport", "evaluate"]

MEGABYTE = 1 << 20


def evaluate(
    prepared: Prepared, table: EmbeddingTable, config: EvaluateConfig, *, progress: Progress
) -> EvaluationReport:
    """Compare the vectors of `table` with co-occurrence and popularity on held-out sessions.

    The last item of each session is predicted from the penultimate one over all items; only the
    query item is excluded; an unknown query or target scores 0; ties count against the method.

    Raises:
        DataError: no session is held out, or the table was made for another vocabulary.

    Cost: exact scores of every different query with every item, `block_mb` of them at a time.
    """
    cases = last_steps(prepared)
    if len(table) and int(table.rows[-1]) >= len(prepared.items):
        raise DataError(
            f"space {table.space!r}: row {table.rows[-1]} in a vocabulary of {len(prepared.items)}"
        )
    progress.start("prepare baselines")
    scorers = _scorers(prepared, table, config)
    progress.finish()
    rankings = {scorer.name: _rank(scorer, cases, config, progress) for scorer in scorers}
    progress.start("bootstrap")
    report = _report(prepared, scorers, rankings, config)
    progress.finish(f"{config.resamples:,} resamples")
    return report


def last_steps(prepared: Prepared) -> Cases:
    """Return the penultimate and last items of the held-out sessions.

    Raises:
        DataError: there are none.
    """
    lists = pq.read_table(prepared.heldout_sessions, columns=["items"]).column("items")
    if not len(lists):
        raise DataError(
            f"{prepared.heldout_sessions}: no session to evaluate on; see [prepare.split]"
        )
    lists = lists.combine_chunks()
    ends = lists.offsets.to_numpy()[1:]
    items = lists.values.to_numpy()
    return Cases(queries=items[ends - 2], targets=items[ends - 1])


def _scorers(prepared: Prepared, table: EmbeddingTable, config: EvaluateConfig) -> list[Scorer]:
    embeddings = [
        EmbeddingScorer(table, relation, f"{table.space} {relation}")
        for relation in reversed(table.relations)
    ]
    together = CoOccurrenceScorer(
        prepared.train_sessions, items=len(prepared.items), smoothing=config.smoothing
    )
    return [*embeddings, together, PopularityScorer(prepared.catalog.popularity)]


def _rank(scorer: Scorer, cases: Cases, config: EvaluateConfig, progress: Progress) -> Ranking:
    known = np.isin(cases.queries, scorer.rows)
    different = len(np.unique(cases.queries[known]))
    progress.start(f"score {scorer.name}", total=different)
    ranking = rank_cases(
        scorer,
        cases,
        k=config.k,
        block_bytes=config.block_mb * MEGABYTE,
        step=progress.advance,
    )
    progress.finish(f"MRR@{config.k} {ranking.reciprocal(config.k).mean():.4f}")
    return ranking


def _report(
    prepared: Prepared,
    scorers: list[Scorer],
    rankings: dict[str, Ranking],
    config: EvaluateConfig,
) -> EvaluationReport:
    ordered = sorted(scorers, key=lambda scorer: -rankings[scorer.name].reciprocal(config.k).mean())
    ranked = [rankings[scorer.name] for scorer in ordered]
    # One column for each method's reciprocal ranks, then one for each method's hits.
    values = np.stack(
        [*(r.reciprocal(config.k) for r in ranked), *(r.hits(config.k) for r in ranked)], axis=1
    )
    bootstrap = Bootstrap.of(values, config)
    n = len(ordered)
    methods = tuple(
        MethodResult(
            method=scorer.name,
            items=len(scorer.rows),
            mrr=_interval(bootstrap.interval(place)),
            hit_rate=_interval(bootstrap.interval(n + place)),
            coverage=len(ranked[place].listed) / len(prepared.items),
        )
        for place, scorer in enumerate(ordered)
    )
    differences = tuple(
        Difference(
            method=methods[one].method,
            against=methods[other].method,
            mrr=_interval(bootstrap.difference(one, other)),
        )
        for one, other in combinations(range(n), 2)
    )
    return EvaluationReport(
        prepared=prepared.manifest.id,
        k=config.k,
        confidence=config.confidence,
        sessions=len(values),
        items=len(prepared.items),
        methods=methods,
        differences=differences,
    )


def _interval(numbers: tuple[float, float, float]) -> Interval:
    mean, low, high = numbers
    return Interval(mean=mean, low=low, high=high)
