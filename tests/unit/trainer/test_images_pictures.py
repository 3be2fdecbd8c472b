import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.made_pictures import drawn, encoded
from trainer.picture_refusals import Refusal
from trainer.picture_views import flipped_crop
from trainer.pictures import decode_picture

RED, WHITE = (255, 0, 0), (255, 255, 255)


def decode(content: bytes, *, size: int = 75, max_pixels: int = 10**6):
    picture = decode_picture(content, size=size, max_pixels=max_pixels)
    assert not isinstance(picture, Refusal), picture
    return picture


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_picture_of_the_right_size_comes_as_it_is(format):
    image = drawn("red", size=(75, 75))
    options = {"quality": 95} if format == "JPEG" else {"lossless": True}
    content = encoded(image, format, **(options if format in ("JPEG", "WEBP") else {}))
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(decode(content), expected)


def test_a_tall_picture_stays_whole_between_white_stripes():
    picture = decode(encoded(Image.new("RGB", (40, 80), RED)), size=80)
    assert (picture[:, 20:60] == RED).all()
    assert (picture[:, :20] == WHITE).all()
    assert (picture[:, 60:] == WHITE).all()


def test_a_small_picture_is_enlarged():
    assert (decode(encoded(Image.new("RGB", (1, 1), RED)), size=80) == RED).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(orientation):
    upright = np.zeros((75, 75, 3), dtype=np.uint8)
    upright[:20, :40] = 255
    # What a camera stores so that the tag undoes it.
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = Image.fromarray(upright)
    if orientation in undo:
        image = image.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(decode(encoded(image, exif=exif)), upright)


def test_transparency_becomes_white():
    image = Image.new("RGBA", (75, 75), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 40, 75))
    picture = decode(encoded(image))
    assert (picture[:, :40] == RED).all()
    assert (picture[:, 40:] == WHITE).all()


def test_a_transparent_colour_of_a_palette_becomes_white():
    image = Image.new("P", (75, 75), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.paste(1, (0, 0, 40, 75))
    picture = decode(encoded(image, transparency=0))
    assert (picture[:, :40] == RED).all()
    assert (picture[:, 40:] == WHITE).all()


def test_sixteen_bits_of_grey_are_scaled_and_not_cut_off():
    grey = np.linspace(0, 65_535, 75 * 75).reshape(75, 75).astype(np.uint16)
    picture = decode(encoded(Image.fromarray(grey)))
    np.testing.assert_allclose(picture[..., 0], grey / 257, atol=1)
    assert (picture[..., 0] == picture[..., 2]).all()


def test_ink_colours_become_light_colours():
    content = encoded(Image.new("CMYK", (75, 75), (0, 255, 255, 0)), "JPEG")
    red, green, blue = decode(content).reshape(-1, 3).mean(axis=0)
    assert red > 200
    assert max(green, blue) < 60


def test_an_animation_shows_its_first_frame():
    frames = [Image.new("RGB", (75, 75), colour) for colour in (RED, (0, 0, 255))]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (decode(content) == RED).all()


@pytest.mark.parametrize("content", [b"", b"hello", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_picture_is_refused(content):
    refusal = decode_picture(content, size=75, max_pixels=10**6)
    assert refusal is Refusal.NOT_A_PICTURE


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_half_a_picture_is_refused(format):
    content = encoded(drawn("red"), format)
    refusal = decode_picture(content[: len(content) // 2], size=75, max_pixels=10**6)
    assert refusal in (Refusal.DAMAGED, Refusal.NOT_A_PICTURE)


def test_a_picture_that_claims_too_many_pixels_is_refused_undecoded():
    content = encoded(Image.new("1", (2_000, 2_000)))
    assert len(content) < 2_000
    assert decode_picture(content, size=75, max_pixels=3_999_999) is Refusal.TOO_MANY_PIXELS
    assert decode(content, max_pixels=4_000_000).shape == (75, 75, 3)


def test_a_bomb_beyond_what_pillow_opens_is_refused():
    content = encoded(Image.new("1", (20_000, 10_000)))
    assert decode_picture(content, size=75, max_pixels=10**9) is Refusal.TOO_MANY_PIXELS


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data(), st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF"]))
def test_damage_never_stops_a_run(data, format):
    content = bytearray(encoded(drawn("blue", size=(60, 60)), format))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=20)):
        content[place] = data.draw(st.integers(0, 255))
    picture = decode_picture(bytes(content), size=75, max_pixels=10**6)
    assert isinstance(picture, Refusal) or picture.shape == (75, 75, 3)


def test_views_are_seeded_and_leave_the_picture_alone():
    picture = decode(encoded(drawn("green")))
    before = picture.copy()
    views = [flipped_crop(picture, np.random.default_rng(seed), smallest=0.6) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(views[0], views[1])
    assert (views[0] != views[2]).any()
    np.testing.assert_array_equal(picture, before)


def test_views_without_crops_are_the_picture_and_its_mirror_image():
    picture = decode(encoded(drawn("green")))
    rng = np.random.default_rng(0)
    views = [flipped_crop(picture, rng, smallest=1) for _ in range(20)]
    plain = [bool((view == picture).all()) for view in views]
    mirrored = [bool((view == picture[:, ::-1]).all()) for view in views]
    assert all(a != b for a, b in zip(plain, mirrored, strict=True))
    assert any(plain)
    assert any(mirrored)


def test_a_crop_keeps_the_share_of_the_sides_that_it_must():
    # Every pixel tells where it is from: the red channel counts rows, the green one columns.
    ramp = np.arange(200, dtype=np.uint8)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], np.uint8(0)), axis=2)
    rng = np.random.default_rng(0)
    for _ in range(50):
        view = flipped_crop(picture, rng, smallest=0.7).astype(int)
        assert np.ptp(view[..., 0]) >= 0.7 * 200 - 3
        assert np.ptp(view[..., 1]) >= 0.7 * 200 - 3
