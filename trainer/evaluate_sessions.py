"""The second protocol of `evaluate`: every step of held-out sessions, the whole prefix known."""

import numpy as np

from artifacts.embeddings import EmbeddingTable
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from trainer.comparison import Compared, compare
from trainer.config import EvaluateConfig
from trainer.evaluate import (
    MEGABYTE,
    check_vocabulary,
    embedding_scorers,
    item_baselines,
    nothing_held_out,
)
from trainer.evaluation_report import EvaluationReport, Protocol
from trainer.prefix_scorer import PrefixScorer
from trainer.ranking import Ranking
from trainer.session_lists import read_session_lists
from trainer.session_ranking import PrefixCases, rank_prefixes
from trainer.session_scorers import LastItemScorer, SessionScorer
from trainer.session_vectors import SessionVectorsScorer
from trainer.vsknn import VsknnScorer


def evaluate_sessions(
    prepared: Prepared,
    table: EmbeddingTable,
    config: EvaluateConfig,
    *,
    most_sessions: int | None = None,
    progress: Progress,
) -> EvaluationReport:
    """Compare vectors with session-kNN, rules and counts at every step of held-out sessions.

    This is how papers measure session-based recommendation (Ludewig and Jannach 2018, section 4):
    for each place after the first, the item there is predicted from all before it; lists have
    `every_step_k` items. The last item of the prefix alone is excluded; ties count against the
    method; intervals resample sessions, not steps.

    Args:
        prepared: the data set.
        table: vectors of one space.
        config: the table `[evaluate]`.
        most_sessions: score so many held-out sessions, drawn by the seed; None scores all.
        progress: told of each stage.

    Raises:
        DataError: no session is held out, or the table was made for another vocabulary.

    Cost: exact scores of every step with every item, for each method.
    """
    check_vocabulary(table, prepared)
    sessions = read_session_lists(prepared.heldout_sessions)
    if not len(sessions):
        raise nothing_held_out(prepared)
    if most_sessions is not None and most_sessions < len(sessions):
        rng = np.random.default_rng(config.seed)
        sessions = sessions.take(np.sort(rng.permutation(len(sessions))[:most_sessions]))
    cases = PrefixCases.of(sessions)
    progress.start("prepare baselines")
    scorers = session_scorers(prepared, table, config)
    progress.finish()
    rankings = {scorer.name: _rank(scorer, cases, config, progress) for scorer in scorers}
    progress.start("bootstrap")
    compared = Compared(
        prepared, Protocol.EVERY_STEP, config.every_step_k, cases.targets, cases.sessions
    )
    report = compare(compared, rankings, config)
    progress.finish(f"{config.resamples:,} resamples")
    return report


def session_scorers(
    prepared: Prepared, table: EmbeddingTable, config: EvaluateConfig
) -> list[SessionScorer]:
    """Return all methods: those of one item look at the last item of a prefix alone."""
    last: list[SessionScorer] = [
        LastItemScorer(scorer)
        for scorer in (*embedding_scorers(table), *item_baselines(prepared, config))
    ]
    train = read_session_lists(prepared.train_sessions)
    whole: list[SessionScorer] = [
        VsknnScorer(train, items=len(prepared.items), config=config.baselines)
    ]
    if table.outputs is not None:
        counts = prepared.catalog.popularity
        name = f"{table.space} whole prefix"
        whole.append(PrefixScorer(table, counts, config.prefix, name))
        name = f"{table.space} session vectors"
        whole.append(SessionVectorsScorer(table, counts, train, config.prefix, name))
    return [*whole, *last]


def _rank(
    scorer: SessionScorer, cases: PrefixCases, config: EvaluateConfig, progress: Progress
) -> Ranking:
    k = config.every_step_k
    progress.start(f"score {scorer.name}", total=len(cases))
    ranking = rank_prefixes(
        scorer, cases, k=k, block_bytes=config.block_mb * MEGABYTE, step=progress.advance
    )
    progress.finish(f"MRR@{k} {ranking.reciprocal(k).mean():.4f}")
    return ranking
