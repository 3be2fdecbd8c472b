"""A caller's filter, made ready for one snapshot."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.errors import RequestError
from retrieval.answer import Stage
from retrieval.availability import Availability
from retrieval.queries import MAX_EXCLUDED, FilterSpec, NearDuplicateBand, PriceBand
from retrieval.query_vector import QueryVector
from retrieval.state import ServingState


@dataclass(frozen=True, slots=True, eq=False)
class CompiledFilter:
    """Which rows may appear.

    Attributes:
        state: the snapshot that it was made for.
        excluded: (m,) int32 rows, ascending.
        categories: allowed top categories; empty allows all.
        allowed: (c,) whether each category code is allowed; None allows all.
        availability: what is out of stock, as it is when rows are judged; None passes over stock.
        prices: lowest and highest price that pass, or None.
        min_similarity: lowest input cosine with the query that passes, or None.
        near_duplicates: how close an item may be to the query and to better ones, or None; what is
            held apart by it depends on the rest of the answer, so that `judge` passes over it.
    """

    state: ServingState
    excluded: IntVector
    categories: tuple[str, ...] = ()
    allowed: NDArray[np.bool_] | None = None
    availability: Availability | None = None
    prices: tuple[float, float] | None = None
    min_similarity: float | None = None
    near_duplicates: NearDuplicateBand | None = None

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return (
            not len(self.excluded)
            and self.allowed is None
            and self.availability is None
            and self.prices is None
            and self.min_similarity is None
            and self.near_duplicates is None
        )

    def without_unavailable(self) -> "CompiledFilter":
        """Return this filter, what is out of stock left out besides."""
        return replace(self, availability=self.state.availability)

    def judge(self, rows: IntVector, query: QueryVector | None) -> NDArray[np.int8]:
        """Say of each row which `Stage` removes it, 0 if none does.

        The first stage that objects is blamed. Prices and likenesses that are unknown do not pass:
        the caller asked for items that are known to fit.

        Args:
            rows: (m,) vocabulary rows.
            query: what likeness is measured to; None where the query has no vector.

        Cost: O(m), and O(m d) for the rows that reach the minimum similarity.
        """
        verdicts = self.judge_statically(rows)
        if self.min_similarity is not None:
            left = np.flatnonzero(verdicts == Stage.PASSED)
            if query is None:
                verdicts[left] = Stage.MIN_SIMILARITY
            else:
                near = query.cosines(rows[left]) >= self.min_similarity
                verdicts[left[~near]] = Stage.MIN_SIMILARITY
        return verdicts

    def judge_statically(self, rows: IntVector) -> NDArray[np.int8]:
        """Do what `judge` does without looking at the query. Cost: O(m)."""
        catalog = self.state.snapshot.catalog
        verdicts = np.zeros(len(rows), dtype=np.int8)
        if self.prices is not None:
            prices = np.asarray(catalog.prices)[rows]
            low, high = self.prices
            verdicts[~((prices >= low) & (prices <= high))] = Stage.PRICE
        if self.availability is not None:
            verdicts[self.availability.out_of_stock[rows]] = Stage.AVAILABILITY
        if self.allowed is not None:
            verdicts[~self.allowed[np.asarray(catalog.category_codes)[rows]]] = Stage.CATEGORY
        if len(self.excluded):
            verdicts[np.isin(rows, self.excluded)] = Stage.EXCLUDED
        return verdicts


def open_filter(state: ServingState) -> CompiledFilter:
    """Return the filter that lets everything pass."""
    return CompiledFilter(state, np.empty(0, dtype=np.int32))


def compile_filter(state: ServingState, spec: FilterSpec, *, path: str) -> CompiledFilter:
    """Translate a caller's filter into rows and codes of a snapshot.

    Args:
        state: the snapshot.
        spec: the filter; ids that the snapshot does not know are ignored.
        path: where the filter stands in the request, for errors.

    Raises:
        RequestError: too many ids, an unknown category, an empty band, a similarity beyond [-1, 1].
    """
    rows = state.snapshot.items.rows(_checked_ids(spec, path))
    return CompiledFilter(
        state=state,
        excluded=np.unique(rows[rows >= 0]).astype(np.int32),
        categories=tuple(dict.fromkeys(spec.allowed_categories)),
        allowed=_allowed_codes(state, spec, path),
        availability=state.availability if spec.available_only else None,
        prices=None if spec.price_band is None else _price_limits(spec.price_band, path),
        min_similarity=_checked_cosine(spec.min_similarity, f"{path}.min_similarity"),
        near_duplicates=_checked_band(spec.near_duplicates, f"{path}.near_duplicates"),
    )


def _checked_ids(spec: FilterSpec, path: str) -> list[str]:
    if len(spec.excluded_ids) > MAX_EXCLUDED:
        raise RequestError(
            f"excluded_item_ids: expected at most {MAX_EXCLUDED}, got {len(spec.excluded_ids)}",
            field=f"{path}.excluded_item_ids",
            reason="TOO_MANY_IDS",
        )
    return list(spec.excluded_ids)


def _allowed_codes(state: ServingState, spec: FilterSpec, path: str) -> NDArray[np.bool_] | None:
    if not spec.allowed_categories:
        return None
    allowed = np.zeros(len(state.category_codes), dtype=np.bool_)
    for place, name in enumerate(spec.allowed_categories):
        code = state.category_codes.get(name)
        if code is None:
            raise RequestError(
                f"allowed_categories: expected a top category of snapshot {state.snapshot.id}, "
                f"got {name!r}",
                field=f"{path}.allowed_categories[{place}]",
                reason="UNKNOWN_CATEGORY",
            )
        allowed[code] = True
    return allowed


def _price_limits(band: PriceBand, path: str) -> tuple[float, float]:
    low = -math.inf if band.low is None else band.low
    high = math.inf if band.high is None else band.high
    if not low <= high:  # also refuses NaN
        raise RequestError(
            f"price_band: expected min_price <= max_price, got {low} and {high}",
            field=f"{path}.price_band",
            reason="EMPTY_PRICE_BAND",
        )
    return low, high


def _checked_band(band: NearDuplicateBand | None, path: str) -> NearDuplicateBand | None:
    """Return a band that sets something, or None."""
    if band is None:
        return None
    to_query, between = band.max_similarity_to_query, band.max_similarity_between_results
    _checked_cosine(to_query, f"{path}.max_similarity_to_query")
    _checked_cosine(between, f"{path}.max_similarity_between_results")
    return None if to_query is None and between is None else band


def _checked_cosine(similarity: float | None, path: str) -> float | None:
    if similarity is not None and not -1 <= similarity <= 1:
        name = path.rpartition(".")[2]
        raise RequestError(
            f"{name}: expected a cosine in [-1, 1], got {similarity}",
            field=path,
            reason="SIMILARITY_OUT_OF_RANGE",
        )
    return similarity
