"""The baseline VSKNN: the training sessions most like this one vote."""

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.ragged import Ragged
from trainer.baselines_config import BaselinesConfig
from trainer.inversion import sessions_by_item
from trainer.ranking import positions
from trainer.vsknn_kernels import vsknn


class VsknnScorer:
    """VSKNN (Ludewig and Jannach 2018, section 3.2), a scorer of whole prefixes.

    A training session is as similar as the sum of (place / length)^2 over the items it shares with
    the prefix, divided by the number of different items of the prefix; of the most recent `sample`
    that share any, the `neighbors` most similar vote. A vote is the similarity over the distance of
    the nearest shared item from the end of the prefix, times 1 + idf * `idf_weight`; idf is the
    logarithm of all sessions over the occurrences of the item. Of sessions equally similar the more
    recent one votes, where the authors' code leaves that to the order of a set.
    """

    def __init__(
        self, sessions: Ragged, *, items: int, config: BaselinesConfig, name: str = "VSKNN"
    ) -> None:
        """Invert the training sessions, oldest first.

        Cost: O(events) time and memory.
        """
        self.name = name
        self.rows: IntVector = np.unique(sessions.values).astype(np.int32)
        self._config = config
        known = self._known(sessions)
        counts = np.bincount(known.values, minlength=len(self.rows))
        idf = np.log(len(sessions) / np.maximum(counts, 1))
        self._boosts = 1 + idf * config.idf_weight
        self._by_item = sessions_by_item(known, items=len(self.rows))
        self._sessions = _distinct(known)

    def scores(self, prefixes: Ragged) -> FloatMatrix:
        """Return the votes; -inf where no session votes, and for prefixes without a known item."""
        known = self._known(prefixes)
        scores = np.full((len(prefixes), len(self.rows)), -np.inf, dtype=np.float32)
        if not len(self.rows):
            return scores
        vsknn(
            known.offsets,
            known.values,
            self._sessions.offsets,
            self._sessions.values,
            self._by_item.offsets,
            self._by_item.values,
            self._boosts,
            self._config.neighbors,
            self._config.sample,
            scores,
        )
        return scores

    def _known(self, lists: Ragged) -> Ragged:
        """Return the lists in positions among `rows`, without what is unknown."""
        return known_positions(lists, self.rows)


def known_positions(lists: Ragged, rows: IntVector) -> Ragged:
    """Return where the numbers of every list stand among ascending `rows`; others are left out."""
    found = positions(rows, lists.values)
    owner = np.repeat(np.arange(len(lists)), lists.lengths)[found >= 0]
    lengths = np.bincount(owner, minlength=len(lists))
    return Ragged.of(lengths, found[found >= 0].astype(np.int32))


def _distinct(lists: Ragged) -> Ragged:
    owner = np.repeat(np.arange(len(lists), dtype=np.int64), lists.lengths)
    width = int(lists.values.max(initial=0)) + 1
    codes = np.unique(owner * width + lists.values)
    lengths = np.bincount(codes // width, minlength=len(lists))
    return Ragged.of(lengths, (codes % width).astype(np.int32))
