"""The gate through which a choice of sources enters."""

from collections.abc import Sequence

from retrieval.candidates import Source
from retrieval.state import ServingState


def require_sources(state: ServingState, sources: Sequence[Source], space: str) -> None:
    """Return if a snapshot can ask each of the sources in a space.

    Lists that were not precomputed are no fault: the next source answers.

    Raises:
        UnsupportedError: it lacks what one of them is made of.
    """
    for source in sources:
        match source:
            case Source.HYBRID:
                state.require_anchors(space)
            case Source.CO_OCCURRENCE:
                state.require_covisitation()
            case Source.SESSION_KNN:
                state.require_recent_sessions()
            case _:
                pass
