"""Skip-gram with negative sampling by gensim, an epoch at a time."""

import os

import numpy as np
from gensim.models import Word2Vec
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.progress import Progress
from trainer.checkpoints import Checkpoint, Checkpoints
from trainer.config import Prod2VecConfig
from trainer.corpus import Corpus


def train_skip_gram(
    corpus: Corpus,
    config: Prod2VecConfig,
    *,
    shrink: bool,
    checkpoints: Checkpoints | None,
    progress: Progress,
) -> Word2Vec:
    """Train a model from its newest checkpoint on, or from the start where there is none.

    Every epoch begins with a learning rate and a state of the random numbers that follow from the
    settings and the number of the epoch alone. So with one worker an interrupted training ends with
    the same bytes as one that ran through, whatever the hash seed of the interpreter.

    Args:
        corpus: the sessions; at least two items of it occur `min_count` times.
        config: every knob.
        shrink: draw windows anew for every item.
        checkpoints: where the state is kept; None keeps none.
        progress: gets one step an epoch, those of the checkpoint included.
    """
    model = _untrained(corpus, config, shrink=shrink)
    latest = checkpoints.latest() if checkpoints else None
    done = _resume(model, latest) if latest else 0
    progress.advance(done)
    matrices = {"vectors": model.wv.vectors, "outputs": model.syn1neg}
    for epoch in range(done, config.epochs):
        _train_epoch(model, corpus, config, epoch)
        progress.advance()
        if checkpoints and epoch + 1 < config.epochs:
            checkpoints.offer(epoch + 1, {"rows": rows_of(model), **matrices})
    return model


def rows_of(model: Word2Vec) -> IntVector:
    """Return the vocabulary rows of a model's vectors, in its order."""
    return np.array([int(token) for token in model.wv.index_to_key], dtype=np.int32)


def _untrained(corpus: Corpus, config: Prod2VecConfig, *, shrink: bool) -> Word2Vec:
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
    frequent: NDArray[np.int64] = np.flatnonzero(corpus.events >= config.min_count)
    counts = {str(row): int(corpus.counts[row]) for row in frequent}
    model.build_vocab_from_freq(counts, corpus_count=corpus.sessions)
    return model


def _resume(model: Word2Vec, latest: Checkpoint) -> int:
    model.wv.vectors[:] = latest.arrays["vectors"]
    model.syn1neg[:] = latest.arrays["outputs"]
    return latest.epochs


def _train_epoch(model: Word2Vec, corpus: Corpus, config: Prod2VecConfig, epoch: int) -> None:
    model.random.seed([config.seed, epoch])
    # Set here because `train` takes a rate of zero for one that was not given.
    model.alpha = _rate(config, epoch)
    model.min_alpha = _rate(config, epoch + 1)
    model.train(
        corpus_file=str(corpus.path),
        total_examples=corpus.sessions,
        total_words=corpus.tokens,
        epochs=1,
    )


def _rate(config: Prod2VecConfig, epoch: int) -> float:
    """Return the learning rate at the start of `epoch`; it falls linearly."""
    fall = config.learning_rate - config.min_learning_rate
    return config.learning_rate - fall * epoch / config.epochs
