"""The stage `train`, space `cf`: skip-gram over sessions, both of its matrices kept."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import Word2Vec

from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.versions import VersionedRoot
from trainer.config import Prod2VecConfig
from trainer.corpus import Corpus, write_corpus
from trainer.epoch_steps import EpochSteps
from trainer.scratch import scratch_folder
from trainer.space_artifact import SpaceRecipe, store_space

SPACE = "cf"


def train_prod2vec(
    prepared: Prepared, config: Prod2VecConfig, root: VersionedRoot, *, progress: Progress
) -> Path:
    """Learn collaborative vectors from the training sessions, put them in use, return the folder.

    A version is named by the prepared data, the settings and the release of gensim, so that an
    unchanged run ends at once.

    Raises:
        DataError: fewer than two items occur `min_count` times.

    Cost: O(epochs * tokens * window * (negative + 1) * dimensions); memory 8 bytes an item and
    dimension, beside the text of the sessions on disk.
    """
    recipe = SpaceRecipe(
        space=SPACE,
        settings=config.model_dump(mode="json"),
        inputs={"prepared": prepared.manifest.id},
        packages=("gensim", "numpy"),
    )

    def fit(folder: Path) -> EmbeddingTable:
        return fit_prod2vec(prepared, config, root.root, progress=progress)

    return store_space(recipe, root, fit, progress=progress)


def fit_prod2vec(
    prepared: Prepared, config: Prod2VecConfig, parent: Path, *, progress: Progress
) -> EmbeddingTable:
    """Learn the table of both matrices without storing it.

    Skip-gram with negative sampling (Mikolov et al. 2013) over sessions as sentences (Grbovic et
    al. 2015). The input matrix alone answers what is interchangeable; input against output answers
    what comes next (docs/adr/0004).

    Args:
        prepared: the sessions.
        config: every knob.
        parent: folder in which the text of the sessions lies for the while.
        progress: gets one step an epoch.

    Raises:
        DataError: fewer than two items occur `min_count` times.
    """
    with scratch_folder(parent) as folder:
        progress.start("write corpus")
        corpus = write_corpus(
            prepared.train_sessions, folder / "sessions.txt", items=len(prepared.items)
        )
        progress.finish(f"{corpus.sessions:,} sessions, {corpus.tokens:,} items")
        progress.start("train prod2vec", total=config.epochs)
        model = _fit(corpus, config, shrink=_shrinks(prepared, config), progress=progress)
    table = _table(model, _lineage(corpus, config))
    progress.finish(f"{len(table):,} items, {table.dim} dimensions")
    return table


def _shrinks(prepared: Prepared, config: Prod2VecConfig) -> bool:
    # In a basket nothing is nearer than anything else, so a narrower window only loses pairs.
    if config.shrink_windows is not None:
        return config.shrink_windows
    return bool(prepared.manifest.details.get("order") != "none")


def _fit(corpus: Corpus, config: Prod2VecConfig, *, shrink: bool, progress: Progress) -> Word2Vec:
    frequent = np.flatnonzero(corpus.counts >= config.min_count)
    if len(frequent) < 2:
        raise DataError(
            f"train.cf: expected at least two items that occur {config.min_count} times in "
            f"training, got {len(frequent)}; lower `min_count` or bring more sessions"
        )
    model = Word2Vec(
        sg=1,
        hs=0,
        vector_size=config.dimensions,
        window=config.window,
        shrink_windows=shrink,
        negative=config.negative,
        ns_exponent=config.ns_exponent,
        sample=config.subsample,
        alpha=config.learning_rate,
        min_alpha=config.min_learning_rate,
        min_count=config.min_count,
        seed=config.seed,
        workers=config.workers or os.cpu_count() or 1,
    )
    # Counted already, so gensim need not read the file once more in Python.
    counts = {str(row): int(corpus.counts[row]) for row in frequent}
    model.build_vocab_from_freq(counts, corpus_count=corpus.sessions)
    model.train(
        corpus_file=str(corpus.path),
        total_examples=corpus.sessions,
        total_words=corpus.tokens,
        epochs=config.epochs,
        callbacks=[EpochSteps(progress)],
    )
    return model


def _lineage(corpus: Corpus, config: Prod2VecConfig) -> dict[str, Any]:
    return {"sessions": corpus.sessions, "tokens": corpus.tokens, "epochs": config.epochs}


def _table(model: Word2Vec, lineage: dict[str, Any]) -> EmbeddingTable:
    rows = np.array([int(token) for token in model.wv.index_to_key], dtype=np.int32)
    ascending = np.argsort(rows)
    return EmbeddingTable(
        space=SPACE,
        rows=rows[ascending],
        vectors=np.ascontiguousarray(model.wv.vectors[ascending], dtype=np.float32),
        outputs=np.ascontiguousarray(model.syn1neg[ascending], dtype=np.float32),
        lineage=lineage,
    )
