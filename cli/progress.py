"""Draws the progress of long stages: a bar on a terminal, a line a stage elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class ConsoleProgress:
    """Implements `artifacts.progress.Progress` on a rich console (standard error)."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._stage = ""
        self._task: TaskID | None = None
        self._begun = 0.0

    def __enter__(self) -> "ConsoleProgress":
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def start(self, stage: str, total: int | None = None) -> None:
        """Begin a bar; without a total it only shows that work goes on."""
        self._clear()
        self._stage = stage
        self._begun = time.perf_counter()
        self._task = self._bars.add_task(stage, total=total)

    def advance(self, amount: int = 1) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bars.advance(self._task, amount)

    def finish(self, note: str = "") -> None:
        """Replace the bar by one line that stays."""
        seconds = time.perf_counter() - self._begun
        self._clear()
        tail = f": {note}" if note else ""
        line = f"  {self._stage}{tail} ({seconds:.1f} s)"
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)

    def _clear(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
