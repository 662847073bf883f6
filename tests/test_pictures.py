"""Pictures are read as they were measured, whatever they are packed in; what is none is said."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from bioloom.data import pictures
from bioloom.data.pictures import decode, of_rows
from bioloom.errors import UserError

GREY = (np.arange(5 * 7) * 7 % 256).astype(np.uint8).reshape(5, 7)
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def tiff(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP", "GIF"])
def test_grey_pictures_keep_every_pixel(form: str) -> None:
    found = decode(saved(Image.fromarray(GREY), form)).pixels
    assert found.dtype == np.uint8
    assert np.array_equal(found[:, :, 0], GREY)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP"])
def test_colours_keep_every_pixel(form: str) -> None:
    assert np.array_equal(decode(saved(Image.fromarray(COLOUR), form)).pixels, COLOUR)


def test_jpeg_is_close() -> None:
    smooth = np.add.outer(np.arange(32), np.arange(32)).astype(np.uint8) * 4
    found = decode(saved(Image.fromarray(smooth), "JPEG", quality=95)).pixels
    assert found.shape == (32, 32, 1)
    assert np.abs(found[:, :, 0].astype(int) - smooth).max() < 12


def test_grey_that_is_stored_as_colour_is_grey() -> None:
    assert decode(saved(Image.fromarray(np.repeat(GREY[:, :, None], 3, axis=2)), "PNG")).pixels.shape == (
        5,
        7,
        1,
    )


def test_equal_channels_of_other_pictures_than_colours_stay() -> None:
    two = np.repeat(GREY[:, :, None], 2, axis=2)
    assert decode(two).pixels.shape == (5, 7, 2)
    assert decode(np.repeat(GREY[:, :, None], 3, axis=2)).pixels.shape == (5, 7, 1)


def test_the_axis_of_channels_has_sixteen_at_most() -> None:
    random = np.random.default_rng(0)
    assert decode(random.random((16, 20, 24))).pixels.shape == (20, 24, 16)
    assert decode(random.random((18, 20, 3))).pixels.shape == (18, 20, 3)
    with pytest.raises(UserError, match="no axis has 16 channels"):
        decode(random.random((18, 20, 24)))


def test_palettes_are_followed() -> None:
    image = Image.fromarray(COLOUR).quantize(64)
    assert np.array_equal(decode(saved(image, "PNG")).pixels, np.asarray(image.convert("RGB")))
    assert np.array_equal(decode(saved(image, "TIFF")).pixels, np.asarray(image.convert("RGB")))


def test_transparency_is_left_out() -> None:
    image = Image.fromarray(np.dstack([COLOUR, GREY]))
    assert np.array_equal(decode(saved(image, "PNG")).pixels, COLOUR)


def test_the_orientation_that_a_camera_wrote_is_followed() -> None:
    image = Image.fromarray(GREY)
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned by a quarter
    found = decode(saved(image, "PNG", exif=exif)).pixels[:, :, 0]
    assert np.array_equal(found, np.rot90(GREY, -1))


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_sixteen_bits_stay_sixteen_bits(compression: str | None) -> None:
    deep = GREY.astype(np.uint16) * 257
    for content in (tiff(deep, compression=compression), saved(Image.fromarray(deep), "PNG")):
        found = decode(content).pixels
        assert found.dtype == np.uint16
        assert np.array_equal(found[:, :, 0], deep)


def test_floating_point_pictures_stay_so() -> None:
    float_ = GREY.astype(np.float32) / 7
    assert np.array_equal(decode(tiff(float_)).pixels[:, :, 0], float_)


def test_channels_come_last_wherever_the_file_has_them() -> None:
    five = np.stack([GREY + n for n in range(5)]).astype(np.uint16)
    found = decode(tiff(five, metadata={"axes": "CYX"}, photometric="minisblack")).pixels
    assert found.shape == (5, 7, 5)
    assert np.array_equal(found[:, :, 3], five[3])


def test_a_stack_becomes_its_brightest_values_and_says_so() -> None:
    stack = np.random.default_rng(0).integers(0, 9, (6, 5, 7)).astype(np.uint8)
    found = decode(tiff(stack, metadata={"axes": "ZYX"}, photometric="minisblack"))
    assert np.array_equal(found.pixels[:, :, 0], stack.max(axis=0))
    assert "6 pages" in found.notes[0]
    both = np.stack([stack, stack[::-1]], axis=1)
    found = decode(tiff(both, metadata={"axes": "ZCYX"}, imagej=True))
    assert found.pixels.shape == (5, 7, 2)  # equal brightest values, of two channels all the same
    pages = decode(tiff(stack[:3], photometric="minisblack", metadata=None))
    assert pages.pixels.shape == (5, 7, 3)
    assert pages.notes == ()


def test_arrays_are_pictures_too() -> None:
    assert decode(GREY).pixels.shape == (5, 7, 1)
    assert np.array_equal(decode(COLOUR).pixels, COLOUR)
    assert np.array_equal(decode(COLOUR.transpose(2, 0, 1)).pixels, COLOUR)
    assert decode(GREY > 100).pixels.max() == 255
    assert decode(GREY.astype(np.int64)).pixels.dtype == np.uint8
    assert decode(GREY.astype(np.int64) * 200).pixels.dtype == np.uint16
    assert decode(GREY.astype(float) - 3.5).pixels.dtype == np.float32


def test_rows_of_pixels_are_read_line_by_line() -> None:
    assert np.array_equal(of_rows(np.arange(9.0), (3, 3)).pixels[:, :, 0], np.arange(9).reshape(3, 3))


PNG = saved(Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)), "PNG")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello", "no picture"),
        (PNG[:200], "damaged or cut off"),
        (PNG[:60] + b"\0" * 60 + PNG[120:], "damaged or cut off"),
        (tiff(GREY)[:60], "no picture|damaged"),
        (b"II*\x00" + b"\xff" * 40, "no picture|damaged"),
        (np.zeros(5), "5 is no picture"),
        (np.zeros((0, 4)), "is no picture"),
        (np.full((3, 3), np.nan), "no numbers"),
        (np.zeros((3, 3), dtype=complex), "complex"),
    ],
)
def test_what_is_no_picture_is_said(content: bytes | np.ndarray, words: str) -> None:
    with pytest.raises(UserError, match=words):
        decode(content)


def test_pictures_that_are_too_large_are_refused_before_they_are_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures, "LARGEST", 30)
    for content in (saved(Image.fromarray(GREY), "PNG"), tiff(GREY), GREY):
        with pytest.raises(UserError, match="too large"):
            decode(content)


def test_formats_that_run_other_programs_are_not_opened() -> None:
    with pytest.raises(UserError, match="no picture"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n")


def part_of_a_set(own: int, pixels: np.ndarray) -> bytes:
    """One of two OME-TIFF files that are one stack of two pages together, a page in each file."""
    height, width = pixels.shape
    uuids = [f"urn:uuid:0000000{number}-0000-4000-8000-000000000000" for number in range(2)]
    pages = "".join(
        f'<TiffData IFD="0" FirstZ="{number}" PlaneCount="1"><UUID FileName="part{number}.ome.tif">{uuid}</UUID></TiffData>'
        for number, uuid in enumerate(uuids)
    )
    told = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{uuids[own]}">'
        f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="{width}" '
        f'SizeY="{height}" SizeZ="2" SizeC="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>{pages}'
        "</Pixels></Image></OME>"
    )
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, description=told, metadata=None, photometric="minisblack")
    return stream.getvalue()


def test_a_file_of_a_set_of_ome_files_is_read_as_what_is_in_it_and_nothing_is_made_up_for_the_others() -> (
    None
):
    first = np.arange(20, 40, dtype=np.uint8).reshape(4, 5)
    for own, pixels in enumerate([first, first + 100]):
        found = decode(part_of_a_set(own, pixels))
        np.testing.assert_array_equal(found.pixels[:, :, 0], pixels)
        assert found.pixels.shape == (4, 5, 1)
        assert found.notes == ()
