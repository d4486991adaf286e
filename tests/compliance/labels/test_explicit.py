"""The drawn label: painting, finding, measuring."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from compliance.encode import encode_picture
from compliance.errors import LabelPartMissing, LabelTooWeak, PictureTooSmallForLabel
from compliance.labels import explicit, lettering
from compliance.labels.explicit import Drawn, Measurement, draw, measure, reasons, require, state
from compliance.media import Pixels
from tests.compliance.labels import pictures
from tests.compliance.labels.pictures import XMP, decoded, flat, gradient, jpeg_bytes, noise, scene, stripes

SAMPLES = Path(str(files("resources"))) / "samples"


def portrait(name: str) -> Pixels:
    """One of the two sample portraits, or a scene of the same size where they are not installed."""
    path = SAMPLES / name
    return np.asarray(Image.open(path).convert("RGB")) if path.exists() else scene(512, 600)


PICTURES: dict[str, Callable[[], Pixels]] = {
    "black": lambda: flat(640, 480, 0),
    "grey": lambda: flat(640, 480, 118),
    "white": lambda: flat(500, 500, 255),
    "noise": lambda: noise(640, 480),
    "gradient": lambda: gradient(1280, 720),
    "stripes": lambda: stripes(800, 600),
    "scene": lambda: scene(720, 1280),
    "tall": lambda: scene(300, 1200),
    "panorama": lambda: scene(3000, 300),
    "small": lambda: scene(200, 220),
    "least": lambda: scene(96, 96),
    "least noise": lambda: noise(96, 150),
    "1080p": lambda: scene(1920, 1080),
    "4K": lambda: gradient(3840, 2160),
    "hopper": lambda: portrait("grace_hopper.jpg"),
    "collins": lambda: portrait("eileen_collins.png"),
}
BASES = ("scene", "noise", "hopper", "collins", "tall")


def resized(pixels: Pixels, factor: float) -> Pixels:
    """Scaled by a factor, bicubic."""
    size = round(pixels.shape[1] * factor), round(pixels.shape[0] * factor)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def blurred(pixels: Pixels, radius: float) -> Pixels:
    """Gaussian blur."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def cut_out(pixels: Pixels, drawn: Drawn) -> Pixels:
    """The plate's part of a picture (a view)."""
    left, top, width, height = drawn.box
    return pixels[top : top + height, left : left + width]


def lettered(text: str) -> Pixels:
    """Some other words, in a like type and place, at the label's own size and contrast."""
    try:
        letters = ImageFont.truetype(str(files("resources").joinpath("fonts", "interface.otf")), 44)
    except OSError:
        pytest.skip("the interface font is not installed")
    image = Image.fromarray(scene(900, 600))
    pen = ImageDraw.Draw(image)
    width = pen.textlength(text, font=letters)
    pen.rounded_rectangle((880 - width - 40, 520, 885, 590), radius=12, fill=(24, 26, 31))
    pen.text((880 - width - 20, 525), text, font=letters, fill=(250, 250, 250), stroke_width=1)
    return np.asarray(image)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height", "sample"), [(95, 400, False), (400, 95, True), (1, 1, False), (95, 95, True), (5000, 60, False)]
)
def test_too_small_pictures_are_refused(width: int, height: int, sample: bool) -> None:
    """Below 96 px on the shorter side no label is drawn, and the message names the limit."""
    with pytest.raises(PictureTooSmallForLabel) as caught:
        draw(flat(width, height), sample=sample)
    assert caught.value.data == {"width": width, "height": height, "minimum": 96}


@pytest.fixture
def fresh_font() -> Iterator[None]:
    """No letters remembered from before, nor those of the test afterwards."""
    for remembered in (lettering._font_bytes, lettering.font, lettering.template):
        remembered.cache_clear()
    yield
    for remembered in (lettering._font_bytes, lettering.font, lettering.template):
        remembered.cache_clear()


@pytest.mark.parametrize("content", [None, b"", b"junk", "interface.otf"])
@pytest.mark.usefixtures("fresh_font")
def test_without_its_own_font_nothing_is_drawn_or_measured(
    content: bytes | str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing, broken or exchanged font stops both: with blank letters, they would agree on an empty label."""
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    if isinstance(content, str):
        content = files("resources").joinpath("fonts", content).read_bytes()
    if content is not None:
        (fonts / "label.otf").write_bytes(content)
    monkeypatch.setattr(lettering, "files", lambda _: tmp_path)
    for act in (lambda: draw(flat(200, 200), sample=False), lambda: measure(flat(200, 200))):
        with pytest.raises(LabelPartMissing) as caught:
            act()
        assert caught.value.data == {"part": "label font"}


def shaded(pixels: Pixels, drawn: Drawn, ink: float, plate: float) -> Pixels:
    """The label with other greys."""
    result = pixels.copy()
    ground = cut_out(result, drawn)
    grey = ground.astype(float).mean(axis=2, keepdims=True)
    share = (grey - grey.min()) / (grey.max() - grey.min())
    if grey.mean() > 128:
        share = 1 - share
    ground[:] = np.rint(plate + (ink - plate) * share)
    return result


def half_covered(pixels: Pixels, drawn: Drawn, rows: slice, columns: slice) -> Pixels:
    """A part of the plate painted over; slices in percent."""
    result = pixels.copy()
    left, top, width, height = drawn.box
    result[
        top + height * rows.start // 100 : top + height * rows.stop // 100,
        left + width * columns.start // 100 : left + width * columns.stop // 100,
    ] = 100
    return result


def moved_to_centre(bare: Pixels, labelled: Pixels, drawn: Drawn) -> Pixels:
    """The whole label in the middle of the picture."""
    result = bare.copy()
    patch = cut_out(labelled, drawn)
    top, left = (result.shape[0] - patch.shape[0]) // 2, (result.shape[1] - patch.shape[1]) // 2
    result[top : top + patch.shape[0], left : left + patch.shape[1]] = patch
    return result


def half_size(bare: Pixels) -> Pixels:
    """A perfect label of half the text size."""
    small = resized(bare, 0.5)
    labelled, drawn = draw(small, sample=False)
    result = bare.copy()
    patch = cut_out(labelled, drawn)
    result[-patch.shape[0] - 4 : -4, -patch.shape[1] - 4 : -4] = patch
    return result


def blurred_away(labelled: Pixels, drawn: Drawn, share: float) -> Pixels:
    """The plate's part blurred by a share of the shorter side."""
    result = labelled.copy()
    ground = cut_out(result, drawn)
    ground[:] = blurred(np.ascontiguousarray(ground), share * min(labelled.shape[:2]))
    return result


ALL, LOW, LEFT, RIGHT = slice(0, 100), slice(50, 100), slice(0, 50), slice(50, 100)
SPOILT: dict[str, Callable[[Pixels, Pixels, Drawn], Pixels]] = {
    "never labelled": lambda bare, labelled, drawn: bare,
    "blurred": lambda bare, labelled, drawn: blurred_away(labelled, drawn, 0.012),
    "blurred away": lambda bare, labelled, drawn: blurred_away(labelled, drawn, 0.03),
    "cropped away": lambda bare, labelled, drawn: labelled[: drawn.box[1]],
    "cropped through the letters": lambda bare, labelled, drawn: labelled[: drawn.box[1] + drawn.box[3] // 2],
    "cropped through the words": lambda bare, labelled, drawn: labelled[:, : drawn.box[0] + drawn.box[2] // 2],
    "half the size": lambda bare, labelled, drawn: half_size(bare),
    "nearly transparent": lambda bare, labelled, drawn: np.rint(bare * 0.85 + labelled * 0.15).astype(np.uint8),
    "transparent": lambda bare, labelled, drawn: np.rint(bare * 0.7 + labelled * 0.3).astype(np.uint8),
    "grey on grey": lambda bare, labelled, drawn: shaded(labelled, drawn, 150, 110),
    "in the centre": moved_to_centre,
    "right half covered": lambda bare, labelled, drawn: half_covered(labelled, drawn, ALL, RIGHT),
    "left half covered": lambda bare, labelled, drawn: half_covered(labelled, drawn, ALL, LEFT),
    "lower half covered": lambda bare, labelled, drawn: half_covered(labelled, drawn, LOW, ALL),
    "mirrored": lambda bare, labelled, drawn: labelled[:, ::-1],
    "upside down": lambda bare, labelled, drawn: labelled[::-1],
}


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("damage", SPOILT)
def test_spoilt_labels_are_not_accepted(base: str, damage: str) -> None:
    """Absent or damaged, with a reason, and `require` refuses."""
    bare = PICTURES[base]()
    labelled, drawn = draw(bare, sample=False)
    if damage.startswith("cropped") and drawn.box[1] < bare.shape[0] // 2:
        pytest.skip("the label stands at the top")
    measurement = measure(SPOILT[damage](bare, labelled, drawn))
    assert state(measurement) in ("absent", "damaged")
    assert reasons(measurement)
    with pytest.raises(LabelTooWeak) as caught:
        require(measurement, sample=False)
    assert caught.value.data == {"layer": "explicit", "reason": reasons(measurement)[0]}


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        ("half the size", "shorter side high"),
        ("grey on grey", "contrast"),
        ("in the centre", "edge"),
        ("right half covered", "“AI-generated” are missing"),
        ("cropped through the words", "“AI-generated” are missing"),
        ("transparent", "contrast"),
        ("blurred", "contrast"),
    ],
)
def test_a_label_that_is_partly_there_says_what_it_lacks(damage: str, part: str) -> None:
    """Damaged is more than absent: the reason names the rule."""
    bare = scene(720, 720)
    labelled, drawn = draw(bare, sample=False)
    measurement = measure(SPOILT[damage](bare, labelled, drawn))
    assert state(measurement) == "damaged"
    assert any(part in reason for reason in reasons(measurement)), reasons(measurement)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("人工创作 · hand-made", ("absent",)),
        ("AI", ("absent",)),
        ("AI增强 · AI-enhanced", ("absent",)),
        ("AI生活 · AI-generous", ("absent",)),
        ("HI生成 · HI-generated", ("absent", "damaged")),
        ("Bl生成 · Bl-generated", ("absent", "damaged")),
        ("4I生成 · 4I-generated", ("damaged",)),
        ("AI牛成 · AI-generated", ("damaged",)),
        ("AI生城 · AI-generated", ("damaged",)),
        ("AI生成 · AI-venerated", ("damaged",)),
        ("AI生成", ("damaged",)),
        ("AI-generated", ("damaged",)),
        ("AI合成 · AI-generated", ("damaged",)),
    ],
)
def test_other_words_are_not_the_label(text: str, expected: tuple[str, ...]) -> None:
    """One wrong letter of the hanzi is enough; one of two elements is damage."""
    assert state(measure(lettered(text))) in expected


def test_the_right_words_in_a_like_type_are_found() -> None:
    """The test above would mean nothing if such letters were never recognised."""
    measurement = measure(lettered("AI生成 · AI-generated"))
    assert measurement.elements == ("AI生成", "AI-generated")


WHOLE = Measurement(True, False, (1, 1, 9, 9), 40.0, 0.067, 0.054, 16.0, 0.95, True, ("AI生成", "AI-generated"))


@pytest.mark.parametrize(
    "change",
    [
        {"ink_share": 0.0549},
        {"cap_share": 0.0499},
        {"contrast": 4.49},
        {"correlation": 0.77},
        {"at_edge": False},
        {"elements": ("AI生成",)},
        {"elements": ("AI-generated",)},
        {"elements": ("SAMPLE", "AI-generated")},
    ],
)
def test_each_limit_alone_makes_a_label_damaged(change: dict[str, object]) -> None:
    """One value short of the rule, one reason; at the limits themselves the label is whole."""
    assert state(WHOLE) == "intact"
    limits = replace(WHOLE, ink_share=0.055, cap_share=0.05, contrast=4.5, correlation=0.78)
    assert state(limits) == "intact"
    short = replace(WHOLE, **change)
    assert (state(short), len(reasons(short))) == ("damaged", 1)
    assert state(replace(WHOLE, found=False)) == "absent"


def test_a_demo_release_needs_the_word_sample() -> None:
    """The plain label does not do in a demo home; the sample's label does for both."""
    plain = measure(draw(scene(640, 480), sample=False)[0])
    marked = measure(draw(scene(640, 480), sample=True)[0])
    require(plain, sample=False)
    require(marked, sample=True)
    require(marked, sample=False)
    with pytest.raises(LabelTooWeak, match="SAMPLE"):
        require(plain, sample=True)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (20, 20), (95, 7), (400, 3)])
def test_pictures_of_any_size_can_be_measured(size: tuple[int, int]) -> None:
    """Specks and slivers have no label, and nothing else happens."""
    assert state(measure(noise(*size))) == "absent"


# --- what holds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [False, True])
@pytest.mark.parametrize("name", PICTURES)
def test_a_drawn_label_is_measured_intact(name: str, sample: bool) -> None:
    """On every ground and at every size, with room above the limits; and through PNG and JPEG of our own."""
    bare = PICTURES[name]()
    before = bare.copy()
    labelled, drawn = draw(bare, sample=sample)
    assert np.array_equal(bare, before), "the input stays as it was"
    measurement = measure(labelled)
    assert (state(measurement), reasons(measurement)) == ("intact", ())
    assert measurement.sample == sample
    assert measurement.contrast >= (12 if min(bare.shape[:2]) > 150 else 7)
    assert measurement.ink_share >= 0.065
    assert measurement.cap_share >= 0.0535
    left, top, width, height = drawn.box
    inner = measurement.box
    assert left <= inner[0] and top <= inner[1]
    assert inner[0] + inner[2] <= left + width and inner[1] + inner[3] <= top + height
    assert state(measure(decoded(encode_picture(labelled, "jpeg", XMP)))) == "intact"


@pytest.mark.parametrize("name", PICTURES)
def test_only_the_plate_is_touched(name: str) -> None:
    """Every pixel outside the box is the input's own, and the box lies within the picture."""
    bare = PICTURES[name]()
    labelled, drawn = draw(bare, sample=False)
    left, top, width, height = drawn.box
    assert left > 0 and top > 0 and left + width < bare.shape[1] and top + height < bare.shape[0]
    changed = (labelled != bare).any(axis=2)
    changed[top : top + height, left : left + width] = False
    assert not changed.any()
    assert drawn.text == "AI生成 · AI-generated"


@pytest.mark.parametrize("name", PICTURES)
def test_an_unlabelled_picture_has_no_label(name: str) -> None:
    """Nothing is seen in noise, bars, faces or flat grounds."""
    assert measure(PICTURES[name]()) == Measurement(False, False, (0, 0, 0, 0), 0.0, 0.0, 0.0, 1.0, 0.0, False, ())


KEPT: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG 60": lambda pixels: decoded(jpeg_bytes(pixels, quality=60)),
    "JPEG 30": lambda pixels: decoded(jpeg_bytes(pixels, quality=30)),
    "half": lambda pixels: resized(pixels, 0.5),
    "half, JPEG 60": lambda pixels: decoded(jpeg_bytes(resized(pixels, 0.5), quality=60)),
    "0.73": lambda pixels: resized(pixels, 0.73),
    "1.4": lambda pixels: resized(pixels, 1.4),
    "double": lambda pixels: resized(pixels, 2),
    "grey": lambda pixels: np.repeat(pixels.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2),
    "darker": lambda pixels: (pixels * 0.7).astype(np.uint8),
    "negative": lambda pixels: 255 - pixels,
}


@pytest.mark.parametrize("sample", [False, True])
@pytest.mark.parametrize("change", KEPT)
@pytest.mark.parametrize("base", BASES)
def test_the_label_is_found_again_after_ordinary_changes(base: str, change: str, sample: bool) -> None:
    """Saved again, rescaled, brightened: it is still measured as whole."""
    labelled, _ = draw(PICTURES[base](), sample=sample)
    measurement = measure(KEPT[change](labelled))
    assert (state(measurement), reasons(measurement)) == ("intact", ())
    assert measurement.sample == sample


def test_a_picture_cropped_around_the_label_keeps_it() -> None:
    """Cutting the other sides changes the shares, not the label."""
    labelled, drawn = draw(scene(1280, 720), sample=False)
    left, top = drawn.box[:2]
    for part in (labelled[200:], labelled[:, 300:], labelled[400:, 500:], labelled[top - 20 :, left - 20 :]):
        assert state(measure(part)) == "intact"


def test_a_second_label_beside_an_old_one_is_measured() -> None:
    """A target that is itself a release: the whole label counts, wherever the old one stands."""
    once, _ = draw(scene(640, 640), sample=True)
    assert state(measure(draw(once, sample=False)[0])) == "intact"
    small = half_size(scene(640, 640))
    assert state(measure(draw(small, sample=False)[0])) == "intact"


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(96, 900),
    height=st.integers(96, 900),
    seed=st.integers(0, 999),
    ground=st.sampled_from(["flat", "noise", "gradient", "scene", "stripes"]),
    sample=st.booleans(),
)
def test_any_picture_large_enough_carries_an_intact_label(
    width: int, height: int, seed: int, ground: str, sample: bool
) -> None:
    """From 96 px, of any shape and content, within the limits of GB 45438-2025 5.2."""
    match ground:
        case "flat":
            pixels = flat(width, height, seed % 256)
        case "noise" | "scene":
            pixels = getattr(pictures, ground)(width, height, seed)
        case _:
            pixels = getattr(pictures, ground)(width, height)
    measurement = measure(draw(pixels, sample=sample)[0])
    assert (state(measurement), reasons(measurement)) == ("intact", ())
    assert measurement.sample == sample


def test_the_plate_stands_out_and_away_from_the_busy_part() -> None:
    """Dark on light grounds, light on dark ones; in the calmer lower corner."""
    dark, _ = draw(flat(400, 400, 20), sample=False)
    light, _ = draw(flat(400, 400, 235), sample=False)
    assert cut_out(dark, draw(flat(400, 400, 20), sample=False)[1]).mean() > 180
    assert cut_out(light, draw(flat(400, 400, 235), sample=False)[1]).mean() < 100
    busy_right = flat(1200, 600, 128)
    busy_right[:, 600:] = noise(600, 600)
    assert draw(busy_right, sample=False)[1].box[0] < 100
    busy_left = np.ascontiguousarray(busy_right[:, ::-1])
    assert draw(busy_left, sample=False)[1].box[0] > 500


def test_the_same_picture_gets_the_same_label() -> None:
    """No chance in drawing or measuring."""
    first, second = draw(scene(500, 400), sample=True), draw(scene(500, 400), sample=True)
    assert np.array_equal(first[0], second[0])
    assert measure(first[0]) == measure(second[0])


def test_read_only_and_strided_pixels_are_fine() -> None:
    """Views as unseal and crops give them."""
    view = scene(800, 400)[:, ::2]
    view.flags.writeable = False
    labelled, _ = draw(view, sample=False)
    assert state(measure(labelled)) == "intact"


def test_importing_the_label_is_cheap_and_leaves_qt_alone() -> None:
    """Neither cv2 nor Pillow at import; after use, cv2's own Qt folders are not in the environment, ours still are."""
    program = """
import json, os, sys
os.environ["QT_QPA_FONTDIR"] = "mine"
from compliance.labels import explicit
heavy = [name for name in ("cv2", "PIL", "c2pa") if name in sys.modules]
import numpy
explicit.measure(numpy.zeros((100, 100, 3), numpy.uint8))
print(json.dumps([heavy, os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH"), os.environ.get("QT_QPA_FONTDIR")]))
"""
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    assert json.loads(shown.stdout) == [[], None, "mine"]
    assert explicit.MINIMUM_SIDE_PX == 96


def test_an_earlier_frame_only_says_where_to_begin() -> None:
    """A label of another size, or none at all, is measured as it is, whatever an earlier frame had."""
    labelled, _ = draw(flat(640, 480), sample=False)
    small = measure(labelled)
    other = replace(small, ink_share=0.2, cap_share=0.16)
    assert measure(labelled, before=other) == small
    assert not measure(flat(640, 480), before=small).found
