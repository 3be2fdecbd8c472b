"""fastText (Bojanowski et al. 2017) over the texts of a catalogue (docs/adr/0008)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gensim.models import FastText
from gensim.models.fasttext import FastTextKeyedVectors

from artifacts.arrays import FloatMatrix
from artifacts.errors import DataError
from artifacts.progress import Progress
from trainer.content_config import ContentConfig
from trainer.content_texts import CatalogTexts
from trainer.epoch_steps import EpochSteps


@dataclass(frozen=True, slots=True)
class FasttextModel:
    """A trained model.

    Attributes:
        words: the w words that occur often enough, the most frequent first.
        subword_vectors: (b, d) float32.
    """

    words: Sequence[str]
    subword_vectors: FloatMatrix
    _keyed: FastTextKeyedVectors

    def vectors(self, words: Sequence[str]) -> FloatMatrix:
        """Return (len(words), d) float32: the mean of a word's own vector and its subwords'.

        Words that the model does not know are the mean of their subwords; a word shorter than the
        shortest subword, marks of begin and end included, is zero.
        """
        vectors = np.empty((len(words), self.subword_vectors.shape[1]), dtype=np.float32)
        for row, word in enumerate(words):
            vectors[row] = self._keyed[word]
        return vectors


def train_fasttext(
    texts: CatalogTexts, config: ContentConfig, scratch: Path, *, progress: Progress
) -> FasttextModel:
    """Learn skip-gram vectors of words and subwords.

    With one worker and a seed the result is the same bit for bit.

    Args:
        texts: what to learn from.
        config: every knob.
        scratch: an existing folder for the texts as lines; the file is left there.
        progress: gets one step an epoch of a stage that the caller began.

    Raises:
        DataError: no word occurs often enough.

    Cost: O(epochs * tokens * window * negative * d), and for each token its subwords; memory 8 d
    bytes for each word and 4 d for each bucket.
    """
    corpus = scratch / "texts.txt"
    texts.write_corpus(corpus)
    counts = texts.word_counts
    if counts.max() < config.min_count:
        raise DataError(
            f"train.content: expected words that occur {config.min_count} times, the most frequent "
            f"one occurs {counts.max()} times; lower `min_count`"
        )
    model = _untrained(config)
    # Counted already, so gensim need not read the file once more in Python.
    model.build_vocab_from_freq(
        dict(zip(texts.words, counts.tolist(), strict=True)), corpus_count=texts.texts
    )
    model.train(
        corpus_file=str(corpus),
        total_examples=texts.texts,
        total_words=int(counts.sum()),
        epochs=config.epochs,
        callbacks=[EpochSteps(progress)],
    )
    subword_vectors = np.ascontiguousarray(model.wv.vectors_ngrams, dtype=np.float32)
    return FasttextModel(list(model.wv.index_to_key), subword_vectors, model.wv)


def _untrained(config: ContentConfig) -> FastText:
    return FastText(
        sg=1,
        hs=0,
        vector_size=config.dimensions,
        window=config.window,
        negative=config.negative,
        ns_exponent=config.ns_exponent,
        sample=config.subsample,
        alpha=config.learning_rate,
        min_count=config.min_count,
        min_n=config.min_n,
        max_n=config.max_n,
        bucket=config.buckets,
        seed=config.seed,
        workers=config.workers or os.cpu_count() or 1,
    )
