"""The gate through which a caller's choice of sources enters."""

from collections.abc import Sequence

from artifacts.errors import NotBuiltError
from retrieval.candidates import BUILT_SOURCES, Source


def checked_sources(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Return the sources in their order, each once.

    Raises:
        NotBuiltError: this release lacks one of them.
    """
    for place, source in enumerate(sources):
        if source not in BUILT_SOURCES:
            raise NotBuiltError(
                f"sources: this release does not have {source.value!r} yet; it has "
                f"{sorted(BUILT_SOURCES)}",
                field=f"sources[{place}]",
            )
    return tuple(dict.fromkeys(sources))
