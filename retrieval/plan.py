"""How one entry is to be answered, with nothing left open."""

from dataclasses import dataclass, replace

from artifacts.accuracy import Accuracy
from artifacts.errors import RequestError
from retrieval.config import ServingConfig
from retrieval.effort import Effort
from retrieval.filters import CompiledFilter, compile_filter, open_filter
from retrieval.queries import MAX_K, NO_OPTIONS, AnswerOptions, UnknownItemPolicy
from retrieval.state import ServingState


@dataclass(frozen=True, slots=True)
class Plan:
    """Options of an entry after the batch's and the serving config's have filled its gaps."""

    k: int
    filter: CompiledFilter
    is_open: bool
    """`filter.is_open`, looked up once."""
    accuracy: Accuracy
    unknown_items: UnknownItemPolicy
    effort: Effort = Effort.FULL
    """What the server has to leave out."""
    is_lowered: bool = False
    """Whether `accuracy` is less than what was asked for."""
    available_only: bool = False
    """Whether what is out of stock is left out, whatever the caller's filter says."""

    @classmethod
    def of_config(cls, state: ServingState, config: ServingConfig) -> "Plan":
        """Return what a call gets that sets nothing."""
        filter = open_filter(state)
        if config.available_only:
            filter = filter.without_unavailable()
        return cls(
            k=config.k,
            filter=filter,
            is_open=filter.is_open,
            accuracy=config.accuracy,
            unknown_items=UnknownItemPolicy.FALL_BACK,
            available_only=config.available_only,
        )

    def at(self, effort: Effort) -> "Plan":
        """Return this plan as it is carried out at an effort."""
        accuracy = effort.limited(self.accuracy)
        return replace(
            self, effort=effort, accuracy=accuracy, is_lowered=accuracy is not self.accuracy
        )

    def overridden(self, options: AnswerOptions | None, *, path: str) -> "Plan":
        """Return this plan with the options that are set.

        Args:
            options: what an entry or a batch sets; a filter replaces the old one whole.
            path: where the options stand in the request, for errors.

        Raises:
            RequestError: k out of range or a filter that no snapshot could apply.
        """
        if options is None or options is NO_OPTIONS:
            return self
        k = self.k if options.k is None else _checked_k(options.k, path)
        filter = self.filter
        if options.filter is not None:
            filter = compile_filter(self.filter.state, options.filter, path=f"{path}.filter")
            if self.available_only:
                filter = filter.without_unavailable()
        accuracy, is_lowered = self.accuracy, self.is_lowered
        if options.accuracy is not None:
            accuracy = self.effort.limited(options.accuracy)
            is_lowered = accuracy is not options.accuracy
        return Plan(
            k=k,
            filter=filter,
            is_open=filter.is_open,
            accuracy=accuracy,
            unknown_items=options.unknown_items or self.unknown_items,
            effort=self.effort,
            is_lowered=is_lowered,
            available_only=self.available_only,
        )


def _checked_k(k: int, path: str) -> int:
    if not 1 <= k <= MAX_K:
        raise RequestError(
            f"k: expected 1 to {MAX_K}, got {k}", field=f"{path}.k", reason="K_OUT_OF_RANGE"
        )
    return k
