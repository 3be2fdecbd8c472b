from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from artifacts.errors import DataError
from artifacts.progress import SilentProgress
from artifacts.vocabulary import write_vocabulary
from tests.made_pictures import COLOURS, write_pictures
from trainer.images_config import ImagesConfig
from trainer.inception_lesson import Batch, Lesson, prepare_lesson
from trainer.picture_classes import PictureClasses
from trainer.picture_files import find_pictures
from trainer.picture_reader import PictureReader
from trainer.picture_refusals import RefusedPictures

VIEWS = 3
ITEMS = dict(zip("abcdef", [*COLOURS, *COLOURS], strict=True))


@pytest.fixture
def reader(tmp_path):
    rows = write_pictures(tmp_path / "pictures", ITEMS, each=1)
    items = write_vocabulary(tmp_path / "items", list(ITEMS))
    fine_tune = {"views": VIEWS, "heldout": 0}
    config = ImagesConfig.model_validate(
        {"folder": str(tmp_path / "pictures"), "size": 75, "batch": 2, "fine_tune": fine_tune}
    )
    progress = SilentProgress()
    return PictureReader(
        find_pictures(rows, items, config, RefusedPictures(), progress=progress), config
    )


def classes(heldout: tuple[int, ...] = (3, 5)) -> PictureClasses:
    training = (0, 1, 2, 4)
    return PictureClasses(
        names=tuple(COLOURS),
        training=np.array(training),
        training_classes=np.array(training, dtype=np.int32) % 3,
        heldout=np.array(heldout, dtype=np.int64),
        heldout_classes=np.array(heldout, dtype=np.int32) % 3,
    )


def small(pictures: Batch) -> Batch:
    """A part of a network, after a fashion: (m, s, s, 3) to (m, 5, 5, 3) in 0 .. 1."""
    return np.asarray(pictures[:, ::15, ::15], dtype=np.float32) / 255


def lesson_of(
    reader: PictureReader, tmp_path: Path, chosen: PictureClasses | None = None
) -> Lesson:
    return prepare_lesson(small, reader, chosen or classes(), tmp_path, progress=SilentProgress())


def test_the_first_view_is_the_picture_itself(reader, tmp_path):
    lesson = lesson_of(reader, tmp_path)
    assert lesson.inputs.shape == (4, VIEWS, 5, 5, 3)
    for inputs, place in zip(lesson.inputs, (0, 1, 2, 4), strict=True):
        expected = small(reader.read(place)[None])[0]
        np.testing.assert_allclose(inputs[0], expected, atol=1e-3)
        assert np.abs(inputs[1] - expected).max() > 0.1
    for inputs, place in zip(lesson.heldout_inputs, (3, 5), strict=True):
        np.testing.assert_allclose(inputs, small(reader.read(place)[None])[0], atol=1e-3)
    assert lesson.classes.tolist() == [0, 1, 2, 1]
    assert lesson.heldout_classes.tolist() == [0, 2]


def test_pictures_that_cannot_be_decoded_are_left_out(reader, tmp_path):
    for name in ("b-0.png", "f-0.png"):
        (tmp_path / "pictures" / name).write_bytes(b"no picture")
    lesson = lesson_of(reader, tmp_path)
    assert lesson.classes.tolist() == [0, 2, 1]
    assert lesson.heldout_classes.tolist() == [0]
    assert [len(lesson.inputs), len(lesson.heldout_inputs), len(lesson.weights)] == [3, 1, 3]


def test_nothing_held_out_is_no_fault_but_nothing_to_learn_is(reader, tmp_path):
    lesson = lesson_of(reader, tmp_path, classes(heldout=()))
    assert lesson.heldout_inputs.shape == (0, 5, 5, 3)
    for name in "abce":
        (tmp_path / "pictures" / f"{name}-0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="none of the pictures"):
        lesson_of(reader, tmp_path)


def made(count: int, views: int = VIEWS) -> Lesson:
    """A lesson whose inputs tell picture and view."""
    inputs = np.arange(count * views, dtype=np.float32).reshape(count, views, 1)
    numbers = np.arange(count, dtype=np.int32)
    return Lesson(inputs, numbers, numbers.astype(np.float32), inputs[:1, 0], numbers[:1])


@pytest.mark.parametrize(("count", "size", "steps"), [(8, 4, 2), (9, 4, 2), (3, 4, 1)])
def test_a_pass_shows_each_picture_at_most_once(count, size, steps):
    lesson = made(count)
    assert lesson.steps(size) == steps
    batches = lesson.batches(size, np.random.default_rng(0))
    for _ in range(5):
        seen = np.concatenate([classes for _, classes, _ in islice(batches, steps)])
        assert len(seen) == len(set(seen)) == steps * min(size, count)


def test_batches_keep_inputs_classes_and_weights_together_and_draw_every_view():
    views = set()
    for inputs, classes, weights in islice(made(8).batches(4, np.random.default_rng(0)), 40):
        np.testing.assert_array_equal(inputs[:, 0] // VIEWS, classes)
        np.testing.assert_array_equal(weights, classes)
        views |= set((inputs[:, 0] % VIEWS).tolist())
    assert views == {0.0, 1.0, 2.0}


def test_a_lesson_goes_through_a_further_part_view_by_view():
    lesson = made(4).through(lambda inputs: np.hstack([inputs, -inputs]))
    assert lesson.inputs.shape == (4, VIEWS, 2)
    np.testing.assert_array_equal(lesson.inputs[..., 1], -lesson.inputs[..., 0])
    assert lesson.heldout_inputs.shape == (1, 2)
