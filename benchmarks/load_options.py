"""What `bench load` is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from artifacts.errors import ConfigError
from benchmarks.arrivals import Arrivals, Step


class Chaos(StrEnum):
    """What is done to a server in mid-run."""

    SWAP = "swap"  # another snapshot is put in service, three times
    KILL = "kill"  # a worker is killed; calls are made by the client that is shipped


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What the options of the command say.

    Attributes:
        config: shop file; None where a running server is asked.
        address: running server; None where one is started.
        ids: file of item ids; None for those of the shop's snapshot.
        mix: weights of scenes.
        steps: of the load.
        p99_ms: what the knee is to keep to; None where none is looked for.
        arrivals: how calls follow each other.
        deadline_ms: told to the server; a call that is answered within it is good.
        chaos: what is done in mid-run; None for nothing.
        results: file of JSON lines.
    """

    config: Path | None
    address: str | None
    ids: Path | None
    mix: str
    steps: Sequence[Step]
    arrivals: Arrivals
    deadline_ms: int
    p99_ms: float | None
    chaos: Chaos | None
    results: Path

    def check(self) -> None:
        """Refuse what does not go together.

        Raises:
            ConfigError: with what was expected.
        """
        if self.config is None and self.address is None:
            raise ConfigError("expected --config, or --address with --ids, got neither")
        if self.config is None and self.ids is None:
            raise ConfigError("--address needs --ids, a file of item ids, or --config")
        if self.chaos is not None and (self.address is not None or self.config is None):
            raise ConfigError("--chaos needs a server of its own: --config without --address")
        if len(self.steps) > 1 and (self.chaos is not None or self.p99_ms is not None):
            raise ConfigError("--steps goes neither with --knee nor with --chaos")
        if self.chaos is not None and self.p99_ms is not None:
            raise ConfigError("--knee does not go with --chaos")


def parse_steps(text: str) -> list[Step]:
    """Read steps such as `100x10,200x10`: calls a second, and seconds.

    Raises:
        ConfigError: a step is none.
    """
    steps = []
    for part in text.split(","):
        rate, cross, seconds = part.strip().partition("x")
        if not cross:
            raise ConfigError(f"--steps: expected steps such as 100x10, got {part!r}")
        steps.append(Step(positive(rate, "--steps"), positive(seconds, "--steps")))
    return steps


def positive(text: str, option: str) -> float:
    """Read a number that an option holds.

    Raises:
        ConfigError: it is none above 0.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigError(f"{option}: expected a positive number, got {text!r}")
    return number
