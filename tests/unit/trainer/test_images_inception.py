import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from artifacts.errors import BackendUnavailableError, ConfigError
from artifacts.progress import SilentProgress
from tests.made_pictures import drawn
from trainer.images_config import FineTuneConfig
from trainer.inception import (
    FixedBatch,
    Inception,
    load_keras,
    require_keras,
    scaled,
    weights_fingerprint,
)
from trainer.inception_lesson import Lesson
from trainer.inception_tuning import tune

SIZE = 75
COLOURS = ("red", "green", "blue")

pytestmark = [
    pytest.mark.extras,
    # Keras hands its own variables to numpy in the way of numpy 1.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def network() -> Inception:
    return Inception.open("random", size=SIZE, batch=4, seed=3)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray[Any, np.dtype[np.uint8]]:
    images = [drawn(COLOURS[n % 3], seed=n, size=(SIZE, SIZE)) for n in range(9)]
    return np.stack([np.asarray(image) for image in images])


def test_the_scale_is_that_of_keras():
    keras = load_keras()
    values = np.arange(256, dtype=np.float32).reshape(1, 16, 16, 1)
    expected = keras.applications.inception_v3.preprocess_input(values.copy())
    np.testing.assert_allclose(scaled(values.astype(np.uint8)), expected, atol=1e-6)


def test_features_are_those_of_the_plain_model_whatever_the_batch(network, pictures):
    expected = np.asarray(network.model(scaled(pictures)))
    assert expected.shape == (9, 2048)
    np.testing.assert_allclose(network.features(pictures), expected, atol=1e-5)
    np.testing.assert_allclose(network.features(pictures[:1]), expected[:1], atol=1e-5)


def test_random_weights_depend_on_their_seed_alone(network):
    again = Inception.open("random", size=SIZE, batch=2, seed=3)
    other = Inception.open("random", size=SIZE, batch=4, seed=4)
    assert again.fingerprint == network.fingerprint
    assert other.fingerprint != network.fingerprint


@pytest.mark.parametrize("blocks", [0, 2, 10])
def test_both_parts_in_turn_are_the_network(network, pictures, blocks):
    trunk, tail = (FixedBatch(part, 4) for part in network.split(blocks))
    expected = network.features(pictures)
    np.testing.assert_allclose(tail(trunk(scaled(pictures))), expected, atol=1e-5)


def test_weights_survive_their_file(network, tmp_path):
    path = tmp_path / "network.weights.h5"
    network.save(path)
    opened = Inception.open(str(path), size=SIZE, batch=4, seed=0)
    assert opened.fingerprint == network.fingerprint


def test_a_whole_model_gives_its_weights_without_its_classifier(network, tmp_path):
    keras = load_keras()
    classifier = keras.layers.Dense(5)(network.model.output)
    keras.Model(network.model.input, classifier).save(tmp_path / "model.keras")
    opened = Inception.open(str(tmp_path / "model.keras"), size=SIZE, batch=4, seed=0)
    assert opened.fingerprint == network.fingerprint


@pytest.mark.parametrize("name", ["other.weights.h5", "other.keras"])
def test_weights_of_another_network_are_refused(tmp_path, name):
    keras = load_keras()
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    (other.save if name.endswith(".keras") else other.save_weights)(tmp_path / name)
    with pytest.raises(ConfigError, match="does not hold Inception v3"):
        Inception.open(str(tmp_path / name), size=SIZE, batch=4, seed=0)


@pytest.mark.parametrize("name", ["cut.weights.h5", "cut.h5", "cut.keras"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"no weights")
    with pytest.raises(ConfigError, match="does not hold Inception v3"):
        Inception.open(str(tmp_path / name), size=SIZE, batch=4, seed=0)


def test_without_a_network_the_message_names_the_local_file(tmp_path):
    # A proxy that nobody answers for, and a home without what earlier runs downloaded.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere, "HOME": str(tmp_path), "KERAS_HOME": str(tmp_path)}
    code = (
        "from trainer.inception import Inception\n"
        "Inception.open('imagenet', size=75, batch=1, seed=0)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert "ConfigError" in last
    assert "Keras could not get them" in last
    assert 'weights = "path/to/it.h5"' in last


@pytest.fixture
def lesson(network, pictures) -> Iterator[tuple[Any, Lesson]]:
    """Two blocks of the network, what they see, and the network as it was afterwards."""
    before = network.model.get_weights()
    trunk, tail = network.split(2)
    views = [pictures, pictures[:, :, ::-1]]
    inputs = np.stack([FixedBatch(trunk, 4)(scaled(view)) for view in views], axis=1)
    classes = np.arange(9, dtype=np.int32) % 3
    weights = np.ones(6, dtype=np.float32)
    yield tail, Lesson(inputs[:6], classes[:6], weights, inputs[6:, 0], classes[6:])
    network.model.set_weights(before)


CONFIG = FineTuneConfig(batch=3, head_epochs=4, epochs=2, rate=1e-5)


def run(tail: Any, lesson: Lesson, config: FineTuneConfig = CONFIG) -> Any:
    return tune(tail, lesson, config, dimensions=4, progress=SilentProgress())


def test_the_head_learns_to_tell_colours(lesson):
    tail, seen = lesson
    tuning = run(tail, seen, CONFIG.model_copy(update={"epochs": 0, "head_epochs": 30}))
    assert tuning.head.accuracy == 1.0
    assert tuning.blocks.epochs == 0
    features = FixedBatch(tail, 4)(seen.inputs[:, 0])
    vectors = tuning.bottleneck.apply(features)
    assert vectors.shape == (6, 4)
    cosines = vectors @ vectors.T
    assert (cosines[:3, 3:].argmax(axis=1) == [0, 1, 2]).all()


def test_blocks_learn_and_the_rest_of_the_network_stands_still(lesson, network, pictures):
    tail, seen = lesson
    trunk, _ = network.split(2)
    before, frozen = network.features(pictures), FixedBatch(trunk, 4)(scaled(pictures))
    nothing_held_out = replace(
        seen, heldout_inputs=seen.heldout_inputs[:0], heldout_classes=seen.heldout_classes[:0]
    )
    tuning = run(tail, nothing_held_out)
    assert (tuning.blocks.epochs, tuning.blocks.accuracy) == (2, None)
    assert np.abs(network.features(pictures) - before).max() > 1e-4
    np.testing.assert_array_equal(FixedBatch(trunk, 4)(scaled(pictures)), frozen)
    statistics = [v for v in network.model.non_trainable_variables if "moving" in v.path]
    assert len(statistics) == 2 * 94
    assert all(np.isin(np.asarray(v.value), (0, 1)).all() for v in statistics)


def test_training_that_only_does_harm_is_undone(lesson, network, pictures):
    tail, seen = lesson
    before = network.features(pictures)
    tuning = run(tail, seen, CONFIG.model_copy(update={"rate": 1.0, "patience": 1}))
    assert tuning.blocks.epochs >= 1
    np.testing.assert_array_equal(network.features(pictures), before)


def test_equal_seeds_tune_equally(lesson, network, pictures):
    tail, seen = lesson
    start = network.model.get_weights()
    found = []
    for _ in range(2):
        network.model.set_weights(start)
        tuning = run(tail, seen)
        found.append((network.features(pictures), tuning.bottleneck.components))
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_the_extra_is_named_where_keras_is_missing():
    # A path without site-packages: the standard library and this tree alone.
    code = (
        "import sys; sys.modules['keras'] = None\n"
        "from trainer.inception import load_keras\n"
        "load_keras()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert BackendUnavailableError.__name__ in last
    assert "shelfmate[images]" in last


def test_another_backend_is_refused():
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    code = "from trainer.inception import load_keras; load_keras()"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert "ConfigError" in last
    assert "got 'numpy'" in last


def test_keras_is_there():
    require_keras()


def test_weights_are_named_by_content(tmp_path):
    one, two, other = (tmp_path / f"{name}.weights.h5" for name in ("one", "two", "other"))
    for path, content in ((one, b"a"), (two, b"a"), (other, b"b")):
        path.write_bytes(content)
    assert weights_fingerprint(str(one)) == weights_fingerprint(str(two))
    assert weights_fingerprint(str(one)) != weights_fingerprint(str(other))
    assert weights_fingerprint("imagenet") == "imagenet"
    with pytest.raises(ConfigError, match="no file"):
        weights_fingerprint(str(tmp_path / "none.h5"))
    with pytest.raises(ConfigError, match="ends in one of"):
        weights_fingerprint("imagenett")
