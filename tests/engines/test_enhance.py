"""picture.enhance and picture.restore: refusals first, then that they do what they say, by figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compliance.errors import ConsentTooNarrow, ExitCode, NotAPicture, OptionUnfit, PictureTooLarge, SignetError
from compliance.media import Pixels, SyntheticMedia, unseal
from compliance.permit import Role
from engines._cv import cv2
from engines.engine import Engine, load_engine
from engines.job import CancelToken, JobCancelled
from engines.picture import filters
from engines.picture.scene.painting import paint
from engines.picture.scene.parser import parse
from tests.engines.conftest import permit_for, png, request_for

EngineOf = Callable[[str], Engine]


@pytest.fixture(scope="module")
def engine_of() -> EngineOf:
    """Engines by id; these need no packs."""
    return load_engine


def nothing(*_: object) -> None:
    """Nobody watches, nobody stops."""


def scene(prompt: str, seed: int = 0, side: int = 192) -> Pixels:
    """A picture with edges and flat parts."""
    return paint(parse(prompt), side, side, seed, nothing)


@pytest.fixture(scope="module")
def scenes() -> list[Pixels]:
    """Three pictures of different kinds."""
    return [scene("a red sunset over snowy mountains and a lake"), scene("a woman", 1), scene("a planet with rings", 2)]


def psnr(first: Pixels, second: Pixels) -> float:
    """Peak signal-to-noise ratio in dB."""
    return float(10 * np.log10(255**2 / max(1e-9, ((first.astype(float) - second) ** 2).mean())))


def make(engine: Engine, inputs: dict[Role, bytes], faces: int = 0, **options: Any) -> SyntheticMedia:
    """One run."""
    request = request_for(engine, tuple(inputs), faces=faces, **options)
    return engine.run(request, permit_for(request), inputs, nothing, CancelToken())


# --- refusals --------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("picture.enhance", {"scale": 3}),
    ("picture.enhance", {"scale": 8}),
    ("picture.enhance", {"denoise": -0.1}),
    ("picture.enhance", {"denoise": 1.1}),
    ("picture.enhance", {"contrast": float("nan")}),
    ("picture.enhance", {"fade": "much"}),
    ("picture.enhance", {"method": "neural"}),
    ("picture.enhance", {"label": False}),
    ("picture.restore", {"radius": 0}),
    ("picture.restore", {"sensitivity": 2}),
    ("picture.restore", {"result": "raw"}),
]


@pytest.mark.parametrize(("engine_id", "options"), REFUSED)
def test_bad_options_are_refused(engine_of: EngineOf, faceless: bytes, engine_id: str, options: dict[str, Any]) -> None:
    """Values out of range, unknown methods and unknown options: code 2."""
    with pytest.raises(OptionUnfit) as refusal:
        make(engine_of(engine_id), {"target": faceless}, **options)
    assert refusal.value.code == ExitCode.USAGE


@pytest.mark.parametrize("engine_id", ["picture.enhance", "picture.restore"])
def test_bad_inputs_are_refused(engine_of: EngineOf, faceless: bytes, engine_id: str) -> None:
    """No picture, a second one, and something that is none."""
    engine = engine_of(engine_id)
    for inputs in ({}, {"source": faceless}, {"target": b"x"}, {"target": faceless, "source": faceless}):
        with pytest.raises(NotAPicture):
            make(engine, inputs)  # type: ignore[arg-type]  # roles by name
    with pytest.raises(NotAPicture):
        make(engine_of("picture.enhance"), {"target": faceless, "mask": faceless})


def test_a_picture_too_large_or_small_is_refused(engine_of: EngineOf) -> None:
    """Enlarged it would be over the limit of a picture; or it is too small for anything to be told from damage."""
    wide = png(np.zeros((600, 12_000, 3), np.uint8))
    with pytest.raises(PictureTooLarge):
        make(engine_of("picture.enhance"), {"target": wide}, scale=4)
    with pytest.raises(SignetError):
        make(engine_of("picture.restore"), {"target": png(np.zeros((20, 200, 3), np.uint8))})


@pytest.mark.parametrize("engine_id", ["picture.enhance", "picture.restore"])
def test_more_faces_than_permitted_are_not_edited(engine_of: EngineOf, faceless: bytes, engine_id: str) -> None:
    """A request that says two faces under a permit for none."""
    engine = engine_of(engine_id)
    request = request_for(engine, ("target",), faces=2)
    permit = permit_for(request_for(engine, ("target",), faces=0))
    with pytest.raises(ConsentTooNarrow):
        engine.run(request, permit, {"target": faceless}, nothing, CancelToken())


@pytest.mark.parametrize("slow", [filters.denoise_nlm, filters.denoise_tv])
def test_slow_filters_can_be_stopped(slow: Callable[..., Pixels]) -> None:
    """They ask between tiles and steps."""

    def stop() -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        slow(np.zeros((64, 64, 3), np.uint8), 0.5, stop)


# --- what they do ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2, 4])
def test_enlarging_beats_bicubic(scenes: list[Pixels], scale: int) -> None:
    """Closer to the original than plain interpolation, sharpened or not, and of the right size."""
    for sharpness in (0.0, 0.5):
        gains = []
        for original in scenes:
            little = cv2.resize(original, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
            plain = cv2.resize(little, (192, 192), interpolation=cv2.INTER_CUBIC)
            made = filters.enlarge(little, scale, sharpness, nothing)
            assert made.shape == original.shape
            gains.append(psnr(original, made) - psnr(original, plain))
        assert np.mean(gains) > 0.2


@pytest.mark.parametrize(("method", "gain_db"), [(filters.denoise_nlm, 4), (filters.denoise_tv, 6)])
def test_denoising_comes_closer_to_the_original(
    scenes: list[Pixels], method: Callable[..., Pixels], gain_db: float
) -> None:
    """Against noise of deviation 18."""
    rng = np.random.default_rng(3)
    gains = []
    for original in scenes:
        noisy = np.clip(original + rng.normal(0, 18, original.shape), 0, 255).astype(np.uint8)
        gains.append(psnr(original, method(noisy, 0.7, nothing)) - psnr(original, noisy))
    assert np.mean(gains) > gain_db


def test_tiles_leave_no_seam() -> None:
    """A picture over several tiles is what it would be in one piece."""
    rng = np.random.default_rng(1)
    noisy = np.clip(rng.normal(128, 20, (530, 40, 3)), 0, 255).astype(np.uint8)
    whole = cv2.fastNlMeansDenoisingColored(noisy, None, 9.0, 9.0, 7, 21)
    assert np.array_equal(filters.denoise_nlm(noisy, 0.5, nothing)[:512], whole[:512])


def test_faded_colours_come_back(scenes: list[Pixels]) -> None:
    """A picture with a third of its contrast and a yellow cast comes closer to the original; zero does nothing."""
    original = scenes[0]
    faded = np.clip(original * 0.45 + np.array((120, 105, 70)), 0, 255).astype(np.uint8)
    assert psnr(original, filters.unfade(faded, 1.0)) > psnr(original, faded) + 2
    assert np.array_equal(filters.unfade(faded, 0.0), faded)
    flat = np.full((40, 40, 3), 90, np.uint8)
    assert filters.unfade(flat, 1.0).std() < 1


def test_contrast_rises_with_strength(scenes: list[Pixels]) -> None:
    """Flat parts gain contrast, the more the stronger."""
    dull = (scenes[0] // 4 + 90).astype(np.uint8)
    spreads = [filters.equalise(dull, strength).std() for strength in (0.0, 0.5, 1.0)]
    assert spreads == sorted(spreads) and spreads[2] > spreads[0] * 1.2


def damaged(original: Pixels, seed: int) -> tuple[Pixels, np.ndarray[Any, Any]]:
    """The picture with scratches and dust, and where they are."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(original.shape[:2], np.uint8)
    side = len(mask)
    for _ in range(5):
        start = rng.integers(0, side, 2)
        end = start + rng.integers(-side // 2, side // 2, 2)
        cv2.line(mask, tuple(map(int, start)), tuple(map(int, end)), 255, 1)
    for _ in range(20):
        cv2.circle(mask, tuple(map(int, rng.integers(0, side, 2))), 1, 255, -1)
    hurt = original.copy()
    hurt[mask > 0] = (236, 230, 224)
    return hurt, mask


def test_scratches_are_found_and_filled() -> None:
    """On a calm picture most of the damage is found, little else, and the result is closer to the original."""
    for seed, prompt in enumerate(("a woman", "a vase", "dunes in the desert")):
        original = scene(prompt, seed, 256)
        hurt, mask = damaged(original, seed)
        found = filters.find_damage(hurt, 0.5)
        assert (found[mask > 0] > 0).mean() > 0.6
        assert (filters.find_damage(original, 0.5) > 0).mean() < 0.02
        assert psnr(original, filters.inpaint(hurt, found, 3.0)) > psnr(original, hurt) + 2


def test_the_mask_can_be_edited_and_handed_back(engine_of: EngineOf) -> None:
    """The mask comes out as red on grey; what the user paints red is filled, what they paint over stays."""
    original = scene("a vase", 1, 256)
    hurt, _ = damaged(original, 1)
    engine = engine_of("picture.restore")
    shown = unseal(make(engine, {"target": png(hurt)}, result="mask"))
    assert np.array_equal(filters.read_mask(shown, 256, 256), filters.find_damage(hurt, 0.5))
    edited = shown.copy()
    edited[edited[..., 0] == 255] = 90
    edited[100:110, 40:60] = (255, 0, 0)
    made = unseal(make(engine, {"target": png(hurt), "mask": png(edited)}))
    changed = np.abs(made.astype(int) - hurt).max(axis=2) > 0
    assert changed[100:110, 40:60].any()
    changed[100:110, 40:60] = False
    assert not changed.any()


def test_a_white_mask_of_another_size_is_understood() -> None:
    """White on black, half as large: brought to the size of the picture."""
    white = np.zeros((50, 80, 3), np.uint8)
    white[10:20, 10:20] = 255
    assert (filters.read_mask(white, 160, 100)[20:40, 20:40] == 255).all()
    assert filters.read_mask(white, 160, 100).sum() == 255 * 400


def test_what_was_done_is_told(engine_of: EngineOf, faceless: bytes) -> None:
    """Both say that they bettered a picture by rules, and warn where nothing was done."""
    idle = make(engine_of("picture.enhance"), {"target": faceless}, denoise=0, contrast=0, fade=0, scale=1).info
    assert idle.origin == "algorithmicallyEnhanced" and len(idle.warnings) == 1
    clean = make(engine_of("picture.restore"), {"target": faceless}).info
    assert clean.origin == "algorithmicallyEnhanced" and "no scratch was found" in clean.warnings
