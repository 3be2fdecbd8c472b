"""The stage `evaluate`: predict the last item of held-out sessions from the one before it."""

import numpy as np
import pyarrow.parquet as pq

from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from trainer.baselines import AssociationRuleScorer, ItemKnnScorer, SequentialRuleScorer
from trainer.comparison import Compared, compare
from trainer.config import EvaluateConfig
from trainer.evaluation_report import EvaluationReport, Protocol
from trainer.ranking import Cases, Ranking, rank_cases
from trainer.scorers import CoOccurrenceScorer, EmbeddingScorer, PopularityScorer, Scorer
from trainer.session_lists import read_session_lists

__all__ = ["EvaluationReport", "evaluate"]

MEGABYTE = 1 << 20


def evaluate(
    prepared: Prepared, table: EmbeddingTable, config: EvaluateConfig, *, progress: Progress
) -> EvaluationReport:
    """Compare the vectors of `table` with rules, counts and popularity on held-out sessions.

    The last item of each session is predicted from the penultimate one over all items; only the
    query item is excluded; an unknown query or target scores 0; ties count against the method.

    Raises:
        DataError: no session is held out, or the table was made for another vocabulary.

    Cost: exact scores of every different query with every item, `block_mb` of them at a time.
    """
    cases = last_steps(prepared)
    check_vocabulary(table, prepared)
    progress.start("prepare baselines")
    scorers = [*embedding_scorers(table), *item_baselines(prepared, config)]
    progress.finish()
    rankings = {scorer.name: _rank(scorer, cases, config, progress) for scorer in scorers}
    progress.start("bootstrap")
    numbers = np.arange(len(cases), dtype=np.int64)
    compared = Compared(prepared, Protocol.LAST_STEP, config.k, cases.targets, numbers)
    report = compare(compared, rankings, config)
    progress.finish(f"{config.resamples:,} resamples")
    return report


def last_steps(prepared: Prepared) -> Cases:
    """Return the penultimate and last items of the held-out sessions.

    Raises:
        DataError: there are none.
    """
    lists = pq.read_table(prepared.heldout_sessions, columns=["items"]).column("items")
    if not len(lists):
        raise nothing_held_out(prepared)
    lists = lists.combine_chunks()
    ends = lists.offsets.to_numpy()[1:]
    items = lists.values.to_numpy()
    return Cases(queries=items[ends - 2], targets=items[ends - 1])


def nothing_held_out(prepared: Prepared) -> DataError:
    """Return the error of a data set without held-out sessions."""
    return DataError(f"{prepared.heldout_sessions}: no session to evaluate on; see [prepare.split]")


def check_vocabulary(table: EmbeddingTable, prepared: Prepared) -> None:
    """Refuse vectors of rows that the data set does not have.

    Raises:
        DataError: a row lies beyond the vocabulary.
    """
    if len(table) and int(table.rows[-1]) >= len(prepared.items):
        raise DataError(
            f"space {table.space!r}: row {table.rows[-1]} in a vocabulary of {len(prepared.items)}"
        )


def embedding_scorers(table: EmbeddingTable) -> list[Scorer]:
    """Return a method for each relation that the space answers."""
    return [
        EmbeddingScorer(table, relation, f"{table.space} {relation}")
        for relation in reversed(table.relations)
    ]


def item_baselines(prepared: Prepared, config: EvaluateConfig) -> list[Scorer]:
    """Return the methods that predict from one item without vectors."""
    items = len(prepared.items)
    sessions = read_session_lists(prepared.train_sessions)
    steps = config.baselines.rule_steps
    return [
        CoOccurrenceScorer(prepared.train_sessions, items=items, smoothing=config.smoothing),
        ItemKnnScorer(sessions, items=items),
        AssociationRuleScorer(sessions, items=items),
        SequentialRuleScorer(sessions, items=items, steps=steps),
        PopularityScorer(prepared.catalog.popularity),
    ]


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
