"""What was chosen for the same part before, so that a night of new vectors need not compare again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexer.config import BackendConfig, FaissConfig
from indexer.tuning.families import Family
from indexer.tuning.report import Compared, TuningReport

GROWTH = 1.25
"""Times as many vectors, or as few, from which on kinds are compared again: ranks change with size."""


SLOWER = 1.5
"""Times as slow as when it was chosen, from which on a choice is compared again: nearly any index
reaches any recall, slowly."""


@dataclass(frozen=True, slots=True)
class EarlierChoice:
    """A choice that was made by comparing.

    Attributes:
        backend: what was chosen.
        compared: when that was.
    """

    backend: BackendConfig
    compared: Compared

    @classmethod
    def of(cls, report: TuningReport) -> "EarlierChoice | None":
        """Return what an earlier report chose, or None if that did not reach its target."""
        if not report.reached:
            return None
        chosen = report.chosen
        here = Compared(vectors=chosen.vectors, query_us=chosen.query_us)
        return cls(chosen.backend, report.compared or here)

    def holds_for(self, n: int) -> bool:
        """Tell whether n vectors are about as many as were compared."""
        before = self.compared.vectors
        return max(n, before) <= GROWTH * min(n, before)

    def is_as_fast(self, seconds: float) -> bool:
        """Tell whether a query takes about as long as when kinds were compared."""
        return seconds * 1e6 <= SLOWER * self.compared.query_us

    def family(self, known: Sequence[Family]) -> Family | None:
        """Return what was chosen with the searches of its kind, or None if it may not be built."""
        shape = _shape(self.backend)
        alike = (family for family in known if _shape(family.config) == shape)
        kind = next(alike, None)
        return None if kind is None else replace(kind, config=self.backend, variants=())


def _shape(backend: BackendConfig) -> tuple[str, str]:
    """Return what settings of one kind have in common, whatever their numbers."""
    factory = backend.build.factory if isinstance(backend, FaissConfig) else ""
    return backend.kind, re.sub(r"\d+", "", factory)
