"""Words a second of prod2vec against raw gensim on the same corpus file and settings.

python -m benchmarks.train_bars DATA_FOLDER
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from gensim.models import Word2Vec

from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from benchmarks.machine import describe_machine
from benchmarks.quality_data import DIGINETICA
from benchmarks.results import Result, append_result
from trainer.checkpoints import Checkpoints
from trainer.config import Prod2VecConfig
from trainer.corpus import Corpus, write_corpus
from trainer.scratch import scratch_folder
from trainer.skip_gram import train_skip_gram

BAR = 0.95

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    folder: Annotated[Path, typer.Argument(help="Holds the folder diginetica.")],
    epochs: Annotated[int, typer.Option(help="Passes of a run.", min=1)] = 2,
    repeats: Annotated[int, typer.Option(help="Runs of each; medians count.", min=1)] = 3,
    work: Annotated[Path, typer.Option(help="Prepared data go there.")] = Path(
        "build/bench/quality"
    ),
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = Path(
        "benchmarks/results/train.jsonl"
    ),
) -> None:
    """Let the two take turns and compare their words a second."""
    prepared = DIGINETICA.prepared(
        folder, VersionedRoot(work / DIGINETICA.name), progress=SilentProgress()
    )
    config = Prod2VecConfig(epochs=epochs, min_count=1)
    with scratch_folder(work) as scratch:
        corpus = write_corpus(
            prepared.train_sessions, scratch / "sessions.txt", items=len(prepared.items)
        )
        pairs = [
            (_ours(corpus, config, scratch / f"kept-{n}"), _raw(corpus, config))
            for n in range(repeats)
        ]
    ours, raw = (median(wall for wall, _ in side) for side in zip(*pairs, strict=True))
    words = corpus.tokens * epochs
    metrics = {
        "words_per_s": words / ours,
        "raw_words_per_s": words / raw,
        "speed_of_raw": median(theirs[0] / own[0] for own, theirs in pairs),
        # Tells more than the wall where other processes take the cores.
        "cpu_speed_of_raw": median(theirs[1] / own[1] for own, theirs in pairs),
    }
    append_result(
        results,
        Result(
            suite="train",
            name="prod2vec against raw gensim",
            measured_at=datetime.now(UTC),
            machine=describe_machine(),
            data=f"{DIGINETICA.name} {prepared.manifest.id}",
            config={**config.model_dump(mode="json"), "repeats": repeats},
            metrics=metrics,
        ),
    )
    met = "met" if metrics["speed_of_raw"] >= BAR else "NOT met"
    print({key: round(value, 3) for key, value in metrics.items()}, f"bar {BAR}: {met}")


def _ours(corpus: Corpus, config: Prod2VecConfig, kept: Path) -> tuple[float, float]:
    """Return seconds of the wall and of all cores."""
    begun, busy = time.perf_counter(), time.process_time()
    train_skip_gram(
        corpus,
        config,
        shrink=True,
        checkpoints=Checkpoints(kept, every_s=config.checkpoint_s),
        progress=SilentProgress(),
    )
    return time.perf_counter() - begun, time.process_time() - busy


def _raw(corpus: Corpus, config: Prod2VecConfig) -> tuple[float, float]:
    """Time the library alone, from the same counts."""
    model = Word2Vec(
        sg=1,
        vector_size=config.dimensions,
        window=config.window,
        negative=config.negative,
        ns_exponent=config.ns_exponent,
        sample=config.subsample,
        alpha=config.learning_rate,
        min_alpha=config.min_learning_rate,
        min_count=config.min_count,
        seed=config.seed,
        workers=config.workers or os.cpu_count() or 1,
    )
    begun, busy = time.perf_counter(), time.process_time()
    counts = {str(row): int(count) for row, count in enumerate(corpus.counts) if count}
    model.build_vocab_from_freq(counts, corpus_count=corpus.sessions)
    model.train(
        corpus_file=str(corpus.path),
        total_examples=corpus.sessions,
        total_words=corpus.tokens,
        epochs=config.epochs,
    )
    return time.perf_counter() - begun, time.process_time() - busy


if __name__ == "__main__":
    app()
