"""The visits of a session as rows of a snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.errors import RequestError
from artifacts.neighbors import PAD_ROW
from artifacts.vocabulary import Vocabulary
from retrieval.item_ids import checked_id
from retrieval.queries import MAX_VISITS, Visit
from retrieval.session.config import SessionConfig
from retrieval.session.weights import has_times, visit_weights


@dataclass(frozen=True, slots=True, eq=False)
class Visited:
    """What a shopper visited, as far as the snapshot knows it.

    Attributes:
        trail: (v,) int32 rows of the known visits, oldest first, repeats kept.
        trail_weights: (v,) float64 what each of them weighs.
        rows: (m,) int32 distinct rows, in the order of their last visits, oldest first.
        weights: (m,) float64 what the visits of each weigh together.
        skipped: ids that the snapshot does not know, each once.
        seed: of lots, the same for the same visits, in 64 bits.
    """

    trail: IntVector
    trail_weights: NDArray[np.float64]
    rows: IntVector
    weights: NDArray[np.float64]
    skipped: tuple[str, ...]
    seed: int

    @property
    def own(self) -> tuple[int, ...]:
        """The rows as what is never in an answer."""
        return tuple(self.rows.tolist())

    def heaviest(self, n: int) -> NDArray[np.intp]:
        """Return the places of the n rows that are liked most and the n that are disliked most.

        They stand in the order of visits; of equal weights the later visits count.
        """
        order = np.argsort(self.weights, kind="stable")
        disliked, liked = order[self.weights[order] < 0], order[self.weights[order] > 0]
        return np.sort(np.concatenate([disliked[:n], liked[::-1][:n]]))


def visited_rows(items: Vocabulary, visits: Sequence[Visit], config: SessionConfig) -> Visited:
    """Return the rows of visits and what they weigh.

    Args:
        items: the vocabulary of the snapshot.
        visits: oldest first; where all of them carry times, the times decide on the order.
        config: weights of kinds and half-lives.

    Raises:
        RequestError: too many visits, an empty id, or a weight that is not finite; the path of the
            field starts with `visits`.
    """
    ids = _checked_ids(visits)
    if len(visits) > 1 and has_times(visits):
        order = np.argsort(np.array([visit.at_s for visit in visits]), kind="stable").tolist()
        visits, ids = [visits[at] for at in order], [ids[at] for at in order]
    weights = visit_weights(visits, config)
    rows = items.rows(ids) if ids else np.empty(0, dtype=np.int32)
    known = rows != PAD_ROW
    totals: dict[int, float] = {}
    for row, weight in zip(rows[known].tolist(), weights[known].tolist(), strict=True):
        totals[row] = totals.pop(row, 0.0) + weight  # the last visit decides on the place
    return Visited(
        trail=rows[known].astype(np.int32),
        trail_weights=weights[known],
        rows=np.array(list(totals), dtype=np.int32),
        weights=np.array(list(totals.values()), dtype=np.float64),
        skipped=tuple(dict.fromkeys(ids[at] for at in np.flatnonzero(~known).tolist())),
        seed=xxhash.xxh3_64_intdigest("\x1f".join(ids).encode("utf-8", "surrogatepass")),
    )


def check_visit_count(count: int) -> None:
    """Return if an entry may hold so many visits.

    Raises:
        RequestError: they are too many.
    """
    if count > MAX_VISITS:
        raise RequestError(
            f"visits: expected at most {MAX_VISITS}, got {count}",
            field="visits",
            reason="VISIT_COUNT_OUT_OF_RANGE",
        )


def _checked_ids(visits: Sequence[Visit]) -> list[str]:
    check_visit_count(len(visits))
    for place, visit in enumerate(visits):
        if not np.isfinite(visit.weight):
            raise RequestError(
                f"visits: expected finite weights, got {visit.weight}",
                field=f"visits[{place}].weight",
                reason="NOT_FINITE",
            )
    return [
        checked_id(visit.item_id, path=f"visits[{place}].item_id")
        for place, visit in enumerate(visits)
    ]
