"""Both matrices of prod2vec by sampled softmax, and the steps they take."""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector
from trainer.softmax_kernels import adagrad

INITIAL_SPREAD = 0.1
INITIAL_SQUARE = 1e-3
"""AdaGrad's sum of squares at the start; without it first steps would all have full length."""

Places = NDArray[np.int64]


class SoftmaxRows(Protocol):
    """What the passes over the pairs ask of a model of n rows and d dimensions."""

    @property
    def arrays(self) -> dict[str, FloatMatrix]:
        """All of its state by name; training changes it in place."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        ...

    def inputs_of(self, batch: Places) -> FloatMatrix:
        """Return the (b, d) input vectors of a batch."""
        ...

    def outputs_for(self, batch: Places, noise: Places) -> FloatMatrix:
        """Return (n, d) in which the outputs of `noise` and of all that stands near `batch` hold."""
        ...

    def step_inputs(
        self, batch: Places, pulls: FloatMatrix, weights: FloatVector, rate: float
    ) -> None:
        """Step against the gradients (b, d) of input vectors, of rows that weigh (b,)."""
        ...

    def step_outputs(self, touched: Places, pulls: FloatMatrix, rate: float) -> None:
        """Step against the gradients of output vectors, one line of `pulls` a touched row."""
        ...


@dataclass(frozen=True, slots=True)
class SoftmaxModel:
    """Both matrices and what AdaGrad remembers of them; training changes them in place.

    Attributes:
        vectors: (n, d) float32 input vectors.
        outputs: (n, d) float32 output vectors.
        vector_squares: (n, d) float32 sums of squared gradients.
        output_squares: (n, d) float32, likewise.
    """

    vectors: FloatMatrix
    outputs: FloatMatrix
    vector_squares: FloatMatrix
    output_squares: FloatMatrix

    @classmethod
    def untrained(cls, items: int, dimensions: int, seed: int | list[int]) -> Self:
        """Return a model of small random vectors."""
        rng = np.random.default_rng(seed)
        shape = (items, dimensions)
        vectors, outputs = (
            INITIAL_SPREAD * rng.standard_normal(shape, dtype=np.float32) for _ in range(2)
        )
        squares = np.full(shape, INITIAL_SQUARE, dtype=np.float32)
        return cls(vectors, outputs, squares, squares.copy())

    @property
    def arrays(self) -> dict[str, FloatMatrix]:
        """All of its state by name."""
        return {name: getattr(self, name) for name in self.__slots__}


class PlainRows:
    """Every row has vectors of its own and nothing else."""

    def __init__(self, model: SoftmaxModel, decay: float) -> None:
        self._model, self._decay = model, decay

    @property
    def arrays(self) -> dict[str, FloatMatrix]:
        """All of its state by name."""
        return self._model.arrays

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        items, dimensions = self._model.vectors.shape
        return items, dimensions

    def inputs_of(self, batch: Places) -> FloatMatrix:
        """Return the (b, d) input vectors of a batch."""
        return self._model.vectors[batch]

    def outputs_for(self, batch: Places, noise: Places) -> FloatMatrix:
        """Return all output vectors."""
        return self._model.outputs

    def step_inputs(
        self, batch: Places, pulls: FloatMatrix, weights: FloatVector, rate: float
    ) -> None:
        """Step; a row's weight does not matter to AdaGrad, which divides by its own gradients."""
        model = self._model
        adagrad(model.vectors, model.vector_squares, batch, pulls, rate, self._decay)

    def step_outputs(self, touched: Places, pulls: FloatMatrix, rate: float) -> None:
        """Step against the gradients of output vectors."""
        model = self._model
        adagrad(model.outputs, model.output_squares, touched, pulls, rate, self._decay)
