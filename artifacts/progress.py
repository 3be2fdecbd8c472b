"""How a long stage tells its caller where it stands; the command line draws it."""

from typing import Protocol


class Progress(Protocol):
    """Receives the steps of one stage after another; stages do not nest."""

    def start(self, stage: str, total: int | None = None) -> None:
        """Begin `stage`, which ends at `total` steps, or at an unknown number of them."""
        ...

    def advance(self, amount: int = 1) -> None:
        """Count `amount` further steps of the stage begun last."""
        ...

    def finish(self, note: str = "") -> None:
        """End the stage; `note` says in a few words what came of it."""
        ...


class SilentProgress:
    """Says nothing: for tests, scripts and library use."""

    def start(self, stage: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, amount: int = 1) -> None:
        """Say nothing."""

    def finish(self, note: str = "") -> None:
        """Say nothing."""
