"""The buckets that the reference implementation of fastText puts subwords in."""

from pathlib import Path

import fasttext
import numpy as np
from numpy.typing import NDArray


class ReferenceBuckets:
    """Asks a model that knows no word but `known`; only its hashing is of use."""

    def __init__(self, folder: Path, *, min_n: int, max_n: int, buckets: int) -> None:
        corpus = folder / "known.txt"
        corpus.write_text("known known known\n", "utf-8")
        # The library leaves vectors uninitialised below ten threads, and trains into NaN at times.
        self._model = fasttext.train_unsupervised(
            str(corpus),
            minCount=1,
            minn=min_n,
            maxn=max_n,
            bucket=buckets,
            dim=2,
            lr=0.0,
            epoch=1,
            thread=12,
            verbose=0,
        )

    def of(self, word: str) -> NDArray[np.int64]:
        """Return the bucket of each subword of a word that is not known."""
        return np.asarray(self._model.get_subwords(word)[1], dtype=np.int64) - len(
            self._model.words
        )
