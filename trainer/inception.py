"""Inception v3 as Keras has it, on JAX: the only place that imports either."""

import importlib
import importlib.util
import os
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import xxhash
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix
from artifacts.errors import BackendUnavailableError, ConfigError
from artifacts.manifest import file_checksum
from trainer.images_config import IMAGENET_WEIGHTS, RANDOM_WEIGHTS

LAST_BLOCK = 10
SUFFIXES = (".weights.h5", ".h5", ".keras")

Model: TypeAlias = Any
"""A Keras model; Keras carries no type information."""
Batch: TypeAlias = NDArray[Any]


def load_keras() -> Any:
    """Import Keras on JAX, which takes seconds, so nothing does it before it must.

    Raises:
        BackendUnavailableError: Keras or JAX is not installed.
        ConfigError: the process has Keras on another backend already.
    """
    os.environ.setdefault("KERAS_BACKEND", "jax")
    try:
        keras = importlib.import_module("keras")
    except ImportError as error:
        raise BackendUnavailableError(_unavailable(error)) from error
    backend = keras.backend.backend()
    if backend != "jax":
        raise ConfigError(f"train.image: expected Keras on jax, got {backend!r}; set KERAS_BACKEND")
    return keras


def require_keras() -> None:
    """Check that the extra is installed, without the cost of importing it.

    Raises:
        BackendUnavailableError: Keras or JAX is not installed.
    """
    absent = [name for name in ("keras", "jax") if importlib.util.find_spec(name) is None]
    if absent:
        raise BackendUnavailableError(_unavailable(f"no module {absent[0]!r}"))


def _unavailable(why: object) -> str:
    return (
        f"train.image needs Keras and JAX ({why}); install the extra `images`: "
        "pip install 'shelfmate[images]'"
    )


def weights_fingerprint(weights: str) -> str:
    """Name the weights without opening them: a file by its content, the others by themselves.

    Raises:
        ConfigError: no such file, or none that could hold weights.
    """
    if weights in (IMAGENET_WEIGHTS, RANDOM_WEIGHTS):
        return weights
    return file_checksum(_weights_file(weights))


class FixedBatch:
    """Runs a model on batches of one size, whatever comes: each new size would be compiled anew."""

    def __init__(self, model: Model, size: int) -> None:
        self._model = model
        self._size = size

    def __call__(self, inputs: Batch) -> Batch:
        """Return the model's float32 outputs for (m, ...) inputs, m of any size."""
        parts = [self._run(inputs[i : i + self._size]) for i in range(0, len(inputs), self._size)]
        return np.concatenate(parts)

    def _run(self, inputs: Batch) -> Batch:
        padding = [(0, self._size - len(inputs)), *[(0, 0)] * (inputs.ndim - 1)]
        outputs = self._model.predict_on_batch(np.pad(inputs.astype(np.float32), padding))
        return np.asarray(outputs, dtype=np.float32)[: len(inputs)]


class Inception:
    """The network without its classifier: pictures to 2,048 averaged features.

    Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision". Eleven blocks,
    `mixed0` to `mixed10`, follow a stem of five convolutions.
    """

    def __init__(self, model: Model, *, size: int, batch: int) -> None:
        self.model = model
        self.size = size
        self._run = FixedBatch(model, batch)

    @classmethod
    def open(cls, weights: str, *, size: int, batch: int, seed: int) -> "Inception":
        """Build the network and give it its weights.

        Args:
            weights: `imagenet`, `random`, or a file; see `ImagesConfig.weights`.
            size: pixels of either side of a picture.
            batch: pictures that are computed at a time.
            seed: of random weights.

        Raises:
            BackendUnavailableError: Keras or JAX is not installed.
            ConfigError: the weights are not to be had, or are another network's.
        """
        keras = load_keras()
        if weights == IMAGENET_WEIGHTS:
            return cls(_download(keras, size), size=size, batch=batch)
        model = _build(keras, size, None)
        if weights == RANDOM_WEIGHTS:
            _draw_weights(model, np.random.default_rng(seed))
        else:
            _read_weights(keras, model, _weights_file(weights))
        return cls(model, size=size, batch=batch)

    def features(self, pictures: NDArray[np.uint8]) -> FloatMatrix:
        """Return (m, 2048) float32 features of (m, s, s, 3) pictures."""
        return self._run(scaled(pictures))

    @property
    def fingerprint(self) -> str:
        """Name of the weights and of the picture size: equal networks give equal features."""
        digest = xxhash.xxh3_128(f"inception_v3 {self.size}".encode())
        for weight in self.model.get_weights():
            digest.update(np.ascontiguousarray(weight).tobytes())
        return digest.hexdigest()

    def split(self, blocks: int) -> tuple[Model, Model]:
        """Return two models that share this one's layers: all before the last `blocks`, and those.

        The first one's outputs are the second one's inputs.
        """
        keras = load_keras()
        cut = self.model.get_layer(f"mixed{LAST_BLOCK - blocks}").output
        return keras.Model(self.model.input, cut), keras.Model(cut, self.model.output)

    def save(self, path: Path) -> None:
        """Write the weights to `path`, which ends in `.weights.h5`."""
        self.model.save_weights(path)


def scaled(pictures: NDArray[np.uint8]) -> FloatMatrix:
    """Return the pictures with 0 .. 255 mapped to -1 .. 1, as the network was trained on."""
    return np.asarray(pictures, dtype=np.float32) / np.float32(127.5) - np.float32(1)


def _draw_weights(model: Model, rng: np.random.Generator) -> None:
    """Draw kernels by He et al. 2015, so that random features keep their scale through the layers.

    Keras would draw them from a seed that the whole process shares.
    """
    for layer in model.layers:
        for variable in layer.weights:
            if variable.name == "kernel":
                shape = tuple(variable.shape)
                deviation = np.sqrt(2 / np.prod(shape[:-1]))
                variable.assign(rng.normal(0, deviation, shape).astype(np.float32))


def _build(keras: Any, size: int, weights: str | None) -> Model:
    return keras.applications.InceptionV3(
        weights=weights, include_top=False, pooling="avg", input_shape=(size, size, 3)
    )


def _download(keras: Any, size: int) -> Model:
    try:
        return _build(keras, size, IMAGENET_WEIGHTS)
    except Exception as error:  # Keras raises the bare class when a download fails
        raise ConfigError(
            f'train.image.weights = "{IMAGENET_WEIGHTS}": Keras could not get them: {error}. Where '
            "there is no network, fetch `inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5` "
            'elsewhere and name the local file: weights = "path/to/it.h5"'
        ) from error


def _weights_file(weights: str) -> Path:
    path = Path(weights)
    if not path.name.endswith(SUFFIXES):
        raise ConfigError(
            f"train.image.weights: expected {IMAGENET_WEIGHTS!r}, {RANDOM_WEIGHTS!r} or a file "
            f"that ends in one of {', '.join(SUFFIXES)}; got {weights!r}"
        )
    if not path.is_file():
        raise ConfigError(f"train.image.weights: no file {weights!r}")
    return path


def _read_weights(keras: Any, model: Model, path: Path) -> None:
    # Keras only warns of layers that the file lacks, and leaves them as they are: NaN shows them.
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.suffix == ".keras":
                _copy_weights(keras, keras.saving.load_model(path, compile=False), model)
            else:
                model.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(_not_inception(path, error)) from error
    lacking = sum(not np.isfinite(weight).all() for weight in model.get_weights())
    if lacking:
        raise ConfigError(_not_inception(path, f"{lacking} arrays are not in it, or not finite"))


def _not_inception(path: Path, why: object) -> str:
    return f"train.image.weights: {path} does not hold Inception v3 without its classifier: {why}"


def _copy_weights(keras: Any, source: Model, target: Model) -> None:
    """Copy convolutions and normalisations in order; a classifier on top is left behind."""
    kinds = (keras.layers.Conv2D, keras.layers.BatchNormalization)
    theirs, ours = (
        [layer for layer in model.layers if isinstance(layer, kinds)] for model in (source, target)
    )
    if len(theirs) != len(ours):
        raise ValueError(f"expected {len(ours)} layers with weights, got {len(theirs)}")
    for their, our in zip(theirs, ours, strict=True):
        our.set_weights(their.get_weights())
