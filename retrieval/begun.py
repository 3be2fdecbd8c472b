"""A batch after its look-ups."""

from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from artifacts.accuracy import Accuracy
from artifacts.errors import ShelfmateError, UnsupportedError
from retrieval.answer import Answer, BatchOutcomes
from retrieval.deadline import Deadline
from retrieval.together import Run, finish

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class OutcomesRun(Run, Protocol[A_co]):
    """A run that ends with one outcome for each entry."""

    @property
    def outcomes(self) -> Sequence[A_co | ShelfmateError]:
        """One for each entry, in their order; no entry may be waiting."""
        ...

    @property
    def is_partial(self) -> bool:
        """Whether the deadline cut some of them short."""
        ...

    @property
    def is_degraded(self) -> bool:
        """Whether less was done for an entry than was asked, because of the server's load."""
        ...


AnsweringRun: TypeAlias = OutcomesRun[Answer]
"""One that finds candidates."""


class BegunBatch(NamedTuple, Generic[A]):
    """What is left of a batch to do.

    A tuple, as all that is made once for every call or entry: a frozen dataclass costs several
    times as much to make.
    """

    serving_config: str
    """Name of the config that answers."""
    run: OutcomesRun[A] | UnsupportedError
    """The batch, or the error that every entry gets."""
    size: int
    """Number of entries."""
    accuracy: Accuracy
    """Effort of the searches of entries that ask for none of their own."""
    is_degraded: bool = False
    """Less is done than was asked, because of the server's load."""
    experiment_label: str = ""
    """`experiment/arm` that assigned the config; empty where none did."""

    @property
    def pending(self) -> bool:
        """Whether an entry waits for a search."""
        return not isinstance(self.run, UnsupportedError) and self.run.pending

    def waiting(self) -> Iterator[Run]:
        """Give what has to be finished before `answer`, for whoever finishes it elsewhere."""
        if not isinstance(self.run, UnsupportedError) and self.run.pending:
            yield self.run

    def finish(self, deadline: Deadline) -> None:
        """Run the searches that entries wait for.

        Raises:
            DeadlineError: the deadline passed and the caller wants no partial answer.
        """
        if not isinstance(self.run, UnsupportedError):
            finish(self.run, deadline)

    def answer(self) -> BatchOutcomes[A]:
        """Return the outcomes; no entry may be waiting."""
        if isinstance(self.run, UnsupportedError):
            outcomes = [self.run] * self.size
            return BatchOutcomes(
                outcomes, self.serving_config, experiment_label=self.experiment_label
            )
        return BatchOutcomes(
            self.run.outcomes,
            self.serving_config,
            self.run.is_partial,
            self.accuracy,
            self.is_degraded,
            self.experiment_label,
        )


Begun: TypeAlias = BegunBatch[Answer]
"""A batch that asks for candidates."""
