"""How much each word says within a field."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector
from trainer.content_config import ContentConfig
from trainer.content_texts import FieldTokens


@dataclass(frozen=True, slots=True)
class WordWeights:
    """Weights of one field, float32 as they are stored.

    Attributes:
        of_words: (w,) float32 by word of the texts.
        unknown: weight of a word that the texts lack.
    """

    of_words: FloatVector
    unknown: float


def weigh_words(tokens: FieldTokens, words: int, config: ContentConfig) -> WordWeights:
    """Weigh words by how rare they are in this field.

    Counts are taken within the field, because a word that every path holds may be rare in titles.
    `idf` is ln((1 + n) / (1 + n_w)) + 1, where n_w of n items hold the word; `sif` is a / (a + p_w),
    where p_w is the word's share of the field's tokens (Arora et al. 2017, section 3).

    Args:
        tokens: the field.
        words: number of words of the texts.
        config: names the weighting.
    """
    match config.weighting:
        case "idf":
            items = len(tokens.cut)
            holders = np.append(_holders(tokens, words), 0)
            weights = np.log((1 + items) / (1 + holders)) + 1
        case "sif":
            counts = np.append(np.bincount(tokens.ids, minlength=words), 0)
            weights = config.sif_a / (config.sif_a + counts / max(len(tokens.ids), 1))
        case "mean":
            weights = np.ones(words + 1)
    stored = weights.astype(np.float32)
    return WordWeights(stored[:-1], float(stored[-1]))


def _holders(tokens: FieldTokens, words: int) -> NDArray[np.int64]:
    """(w,) items whose field holds each word."""
    items = np.repeat(np.arange(len(tokens.cut)), tokens.lengths)
    pairs = np.unique(items * words + tokens.ids)
    return np.bincount(pairs % words, minlength=words)
