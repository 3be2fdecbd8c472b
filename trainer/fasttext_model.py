"""fastText (Bojanowski et al. 2017), the only place that knows its binding."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The package's own function `train_unsupervised` takes no seed; the binding below it does.
import fasttext_pybind
import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.errors import DataError
from trainer.content_config import ContentConfig

END_OF_LINE = "</s>"


@dataclass(frozen=True, slots=True)
class FasttextModel:
    """A trained model.

    Attributes:
        words: the w words that occur often enough, the most frequent first.
        subword_vectors: (b, d) float32.
    """

    words: Sequence[str]
    subword_vectors: FloatMatrix
    _binding: Any

    def vectors(self, words: Sequence[str]) -> FloatMatrix:
        """Return (len(words), d) float32: the mean of a word's own vector and its subwords'.

        Words that the model does not know are the mean of their subwords; a word shorter than the
        shortest subword, marks of begin and end included, is zero.
        """
        dimensions = self.subword_vectors.shape[1]
        vectors = np.zeros((len(words), dimensions), dtype=np.float32)
        buffer = fasttext_pybind.Vector(dimensions)
        for row, word in enumerate(words):
            self._binding.getWordVector(buffer, word)
            vectors[row] = np.array(buffer)
        return vectors


def train_fasttext(corpus: Path, config: ContentConfig) -> FasttextModel:
    """Learn skip-gram vectors of words and subwords from a file of lines.

    With one worker and a seed the result is the same bit for bit.

    Raises:
        DataError: no word occurs often enough, or a learning rate so high that vectors overflow.

    Cost: O(epochs * tokens * window * negative * dimensions), and for each token its subwords;
    memory 4 * dimensions bytes for each word, twice, and each bucket.
    """
    arguments = fasttext_pybind.args()
    arguments.model = fasttext_pybind.model_name.skipgram
    arguments.loss = fasttext_pybind.loss_name.ns
    settings = {
        "input": str(corpus),
        "output": "",
        "dim": config.dimensions,
        "ws": config.window,
        "epoch": config.epochs,
        "neg": config.negative,
        # fastText keeps a word with probability sqrt(t / f) + t / f, so 1 keeps every word.
        "t": config.subsample or 1.0,
        "lr": config.learning_rate,
        "minCount": config.min_count,
        "minn": config.min_n,
        "maxn": config.max_n,
        "bucket": config.buckets,
        "seed": config.seed,
        "thread": config.workers or os.cpu_count() or 1,
        "verbose": 0,
    }
    for name, value in settings.items():
        setattr(arguments, name, value)
    binding = fasttext_pybind.fasttext()
    try:
        fasttext_pybind.train(binding, arguments)
    except (RuntimeError, ValueError) as error:
        raise DataError(f"train.content: fastText stopped: {error}") from error
    return _model(binding)


def _model(binding: Any) -> FasttextModel:
    words, _ = binding.getVocab("strict")
    inputs = np.array(binding.getInputMatrix(), dtype=np.float32)
    return FasttextModel(
        words=[word for word in words if word != END_OF_LINE],
        subword_vectors=np.ascontiguousarray(inputs[len(words) :]),
        _binding=binding,
    )
