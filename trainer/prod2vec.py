"""The stage `train`, space `cf`: skip-gram over sessions, both of its matrices kept."""

from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import Word2Vec

from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.versions import VersionedRoot
from trainer.checkpoints import Checkpoints
from trainer.config import Prod2VecConfig
from trainer.corpus import Corpus, write_corpus
from trainer.prod2vec_softmax import fit_softmax
from trainer.scratch import scratch_folder
from trainer.skip_gram import rows_of, train_skip_gram
from trainer.space_artifact import SpaceRecipe, store_space

SPACE = "cf"


def train_prod2vec(
    prepared: Prepared, config: Prod2VecConfig, root: VersionedRoot, *, progress: Progress
) -> Path:
    """Learn collaborative vectors from the training sessions, put them in use, return the folder.

    A version is named by the prepared data, the settings and the release of gensim, so that an
    unchanged run ends at once. A run that was interrupted goes on from its last checkpoint; with
    one worker it ends with the same bytes as if nothing had happened.

    Raises:
        DataError: fewer than two items occur `min_count` times.

    Cost: O(epochs * tokens * window * (negative + 1) * dimensions); memory 8 bytes an item and
    dimension, beside the text of the sessions on disk.
    """
    recipe = SpaceRecipe(
        space=SPACE,
        settings=config.model_dump(mode="json", exclude={"checkpoint_s"}),
        inputs={"prepared": prepared.manifest.id},
        packages=("gensim", "numba", "numpy", "scipy"),
    )

    checkpoints = Checkpoints(root.root / f".checkpoints-{recipe.id}", every_s=config.checkpoint_s)

    def fit(folder: Path) -> EmbeddingTable:
        return fit_prod2vec(prepared, config, root.root, checkpoints=checkpoints, progress=progress)

    stored = store_space(recipe, root, fit, progress=progress)
    checkpoints.remove()
    return stored


def fit_prod2vec(
    prepared: Prepared,
    config: Prod2VecConfig,
    parent: Path,
    *,
    checkpoints: Checkpoints | None = None,
    progress: Progress,
) -> EmbeddingTable:
    """Learn the table of both matrices without storing it.

    Skip-gram with negative sampling (Mikolov et al. 2013) over sessions as sentences (Grbovic et
    al. 2015). The input matrix alone answers what is interchangeable; input against output answers
    what comes next (docs/adr/0004).

    Args:
        prepared: the sessions.
        config: every knob.
        parent: folder in which the text of the sessions lies for the while.
        checkpoints: where the state is kept; None keeps none.
        progress: gets one step an epoch.

    Raises:
        DataError: fewer than two items occur `min_count` times.
    """
    if config.softmax is not None:
        return fit_softmax(
            prepared, config, config.softmax, checkpoints=checkpoints, progress=progress
        )
    with scratch_folder(parent) as folder:
        progress.start("write corpus")
        corpus = write_corpus(
            prepared.train_sessions,
            folder / "sessions.txt",
            items=len(prepared.items),
            repeat_by_weight=config.kind_weights,
        )
        progress.finish(f"{corpus.sessions:,} sessions, {corpus.tokens:,} items")
        _check_enough(corpus, config)
        progress.start("train prod2vec", total=config.epochs)
        model = train_skip_gram(
            corpus,
            config,
            shrink=_shrinks(prepared, config),
            checkpoints=checkpoints,
            progress=progress,
        )
    table = _table(model, _lineage(corpus, config))
    progress.finish(f"{len(table):,} items, {table.dim} dimensions")
    return table


def _shrinks(prepared: Prepared, config: Prod2VecConfig) -> bool:
    # In a basket nothing is nearer than anything else, so a narrower window only loses pairs.
    if config.shrink_windows is not None:
        return config.shrink_windows
    return bool(prepared.manifest.details.get("order") != "none")


def _check_enough(corpus: Corpus, config: Prod2VecConfig) -> None:
    frequent = int(np.count_nonzero(corpus.events >= config.min_count))
    if frequent < 2:
        raise DataError(
            f"train.cf: expected at least two items that occur {config.min_count} times in "
            f"training, got {frequent}; lower `min_count` or bring more sessions"
        )


def _lineage(corpus: Corpus, config: Prod2VecConfig) -> dict[str, Any]:
    return {"sessions": corpus.sessions, "tokens": corpus.tokens, "epochs": config.epochs}


def _table(model: Word2Vec, lineage: dict[str, Any]) -> EmbeddingTable:
    rows = rows_of(model)
    ascending = np.argsort(rows)
    return EmbeddingTable(
        space=SPACE,
        rows=rows[ascending],
        vectors=np.ascontiguousarray(model.wv.vectors[ascending], dtype=np.float32),
        outputs=np.ascontiguousarray(model.syn1neg[ascending], dtype=np.float32),
        lineage=lineage,
    )
