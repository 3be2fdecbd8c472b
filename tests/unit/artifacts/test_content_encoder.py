import json

import numpy as np
import pytest

from artifacts.arrays import FloatMatrix
from artifacts.content_encoder import (
    ContentEncoderArrays,
    EncodedField,
    EncoderSettings,
    write_encoder,
)
from artifacts.errors import ArtifactError, DataError

WORDS = ("tea", "хлеб", "鞋子")
SETTINGS = EncoderSettings(
    dimensions=4,
    min_n=3,
    max_n=5,
    buckets=8,
    strip_accents=False,
    fields=(EncodedField(name="title", weight=1, max_tokens=9, unknown_weight=0.1),),
)


def made_arrays(components: int = 1) -> dict[str, FloatMatrix]:
    rng = np.random.default_rng(0)
    shapes = {
        "word_vectors": (3, 4),
        "word_weights": (1, 3),
        "subword_vectors": (8, 4),
        "components": (components, 4),
    }
    return {name: rng.random(shape, dtype=np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("components", [0, 1, 2])
def test_what_is_written_is_opened_again(tmp_path, components):
    arrays = made_arrays(components)
    write_encoder(tmp_path, SETTINGS, WORDS, arrays)
    opened = ContentEncoderArrays.open(tmp_path)
    assert opened.settings == SETTINGS
    assert opened.words.ids(range(3)) == list(WORDS)
    for name, array in arrays.items():
        np.testing.assert_array_equal(getattr(opened, name), array)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("word_vectors", np.zeros((2, 4), np.float32)),
        ("word_weights", np.zeros((3, 1), np.float32)),
        ("subword_vectors", np.zeros((8, 4), np.float64)),
        ("components", np.zeros(4, np.float32)),
        ("subword_vectors", np.full((8, 4), np.nan, np.float32)),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(tmp_path, name, array):
    with pytest.raises(DataError, match=name):
        write_encoder(tmp_path, SETTINGS, WORDS, made_arrays() | {name: array})


def test_a_missing_array_is_refused(tmp_path):
    arrays = made_arrays()
    del arrays["components"]
    with pytest.raises(DataError, match="components"):
        write_encoder(tmp_path, SETTINGS, WORDS, arrays)


@pytest.mark.parametrize("name", ["encoder.json", "ids.arrow", "slots.npy", "components.npy"])
def test_a_missing_file_is_an_artifact_error(tmp_path, name):
    write_encoder(tmp_path, SETTINGS, WORDS, made_arrays())
    (tmp_path / name).unlink()
    with pytest.raises(ArtifactError, match=name):
        ContentEncoderArrays.open(tmp_path)


def test_settings_and_arrays_that_disagree_are_an_artifact_error(tmp_path):
    write_encoder(tmp_path, SETTINGS, WORDS, made_arrays())
    path = tmp_path / "encoder.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"buckets": 9}))
    with pytest.raises(ArtifactError, match=r"subword_vectors: expected float32 \(9, 4\)"):
        ContentEncoderArrays.open(tmp_path)


def test_an_unknown_setting_is_an_artifact_error(tmp_path):
    write_encoder(tmp_path, SETTINGS, WORDS, made_arrays())
    path = tmp_path / "encoder.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"colour": "red"}))
    with pytest.raises(ArtifactError, match="colour"):
        ContentEncoderArrays.open(tmp_path)
