"""The invisible mark: what may never be found comes first, then what must be found after which attack."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.labels.watermark import code
from compliance.labels.watermark import quality as measures
from compliance.labels.watermark.detect import read
from compliance.labels.watermark.frame import Jpeg, luma
from compliance.labels.watermark.pattern import PILOTS, SETS, pattern, pilot_set
from compliance.labels.watermark.quality import psnr_db, ssim
from compliance.labels.watermark_image import DETECTOR_KEY, GUARANTEED, HARDEST, MINIMUM_SSIM, Embedded, detect, embed
from compliance.media import Pixels
from tests.bench import attacks, pictures
from tests.compliance.labels.pictures import flat, gradient, noise, scene

OTHER_KEY = b"another key"
IDENT = 0x1D0F_5EA1_0FF1_CE01

CLASSES = {
    "portrait": lambda: pictures.sample("eileen_collins.png", 512, 512),
    "small portrait": lambda: pictures.sample("grace_hopper.jpg", 448, 336),
    "gradient": lambda: gradient(720, 540),
    "grass": lambda: pictures.grass(600, 450),
    "page": lambda: pictures.page(640, 480, 17),
}
ATTACKS = {
    "portrait": ["JPEG 30", "crop 50 %", "rotate 5", "screenshot", "aspect 0.9", "photo of a screen"],
    "small portrait": ["JPEG 50", "resize 0.5", "rotate 15", "mirror"],
    "gradient": ["JPEG 50", "crop 25 %", "noise 8", "rotate 3, crop 10 %, JPEG 60"],
    "grass": ["crop 50 %", "screenshot", "blur 1.5", "WebP 50"],
    "page": ["JPEG 30", "screenshot", "greyscale", "contrast -20 %"],
}


@lru_cache(maxsize=8)
def original(name: str) -> Pixels:
    """An unmarked picture, drawn once."""
    return CLASSES[name]()


@lru_cache(maxsize=8)
def marked(name: str) -> Embedded:
    """The same, marked once."""
    return embed(original(name), IDENT)


# Nothing is found where nothing is.


@pytest.mark.parametrize("name", CLASSES)
def test_an_unmarked_picture_has_no_mark(name: str) -> None:
    """Nothing is found in a picture that was never marked, and the pilots stay near chance."""
    seen = detect(original(name))
    assert not seen.found
    assert not seen.crc_ok
    assert seen.pilot_z < 7.5


def test_a_mark_of_another_key_is_not_found() -> None:
    """A mark can be read with its own key alone."""
    assert not detect(marked("portrait").pixels, OTHER_KEY).found


def test_no_id_comes_out_of_noise() -> None:
    """A soft word of pure chance decodes to something whose CRC is wrong."""
    maker = np.random.default_rng(3)
    assert not any(code.decode(maker.normal(size=code.CODED_BITS).astype(np.float32)).crc_ok for _ in range(30))


@pytest.mark.parametrize(
    "pixels",
    [
        flat(64, 48),
        flat(600, 400, 0),
        flat(600, 400, 255),
        flat(32, 32),
        flat(1, 1),
        flat(1, 700),
        flat(700, 1),
        noise(32, 32),
        noise(33, 1500),
        noise(3000, 40),
        noise(1, 400),
        np.tile(np.array([[[0]], [[255]]], np.uint8), (40, 80, 3)),
        np.eye(90, dtype=np.uint8)[..., None].repeat(3, 2) * 255,
    ],
    ids=lambda pixels: f"{pixels.shape[1]}x{pixels.shape[0]}",
)
def test_odd_pictures_neither_raise_nor_carry_a_mark(pixels: Pixels) -> None:
    """Flat, tiny and very long pictures are searched without an error."""
    assert not detect(pixels).found


@pytest.mark.parametrize("shape", [(1, 1), (20, 400), (31, 31)])
def test_a_picture_too_small_is_returned_unmarked_and_guarantees_nothing(shape: tuple[int, int]) -> None:
    """Under 32 px there is no room for a mark, and the answer says so."""
    pixels = noise(shape[1], shape[0])
    answer = embed(pixels, IDENT)
    assert np.array_equal(answer.pixels, pixels)
    assert answer.guarantees == dict.fromkeys(GUARANTEED, False)


@pytest.mark.parametrize("pixels", [flat(40, 32), noise(40, 90)], ids=["flat", "narrow"])
def test_a_hopeless_picture_says_which_guarantees_are_missing(pixels: Pixels) -> None:
    """A picture too poor for the attacks is still marked within the limit, and the missing guarantees are named."""
    answer = embed(pixels, IDENT)
    assert answer.ssim >= MINIMUM_SSIM
    assert not all(answer.guarantees.values())


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((40, 40), np.uint8),
        np.zeros((40, 40, 4), np.uint8),
        np.zeros((40, 40, 3)),
        np.zeros((0, 9, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_other_shapes_and_types_are_refused(pixels: np.ndarray) -> None:
    """Only uint8 pictures of three channels are taken."""
    with pytest.raises(ValueError, match="uint8"):
        detect(pixels)
    with pytest.raises(ValueError, match="uint8"):
        embed(pixels, IDENT)


@pytest.mark.parametrize("ident", [-1, 1 << 64])
def test_an_id_that_is_not_64_bits_is_refused(ident: int) -> None:
    """An id is never cut short in silence."""
    with pytest.raises(ValueError, match="64 bits"):
        embed(flat(40, 40), ident)


# What is written is read.


@pytest.mark.parametrize("name", CLASSES)
def test_a_marked_picture_is_read_and_keeps_its_likeness(name: str) -> None:
    """The id comes back, every guarantee holds and the similarity stays above the limit by an independent reckoning."""
    answer = marked(name)
    seen = detect(answer.pixels)
    assert (seen.found, seen.ident, seen.crc_ok) == (True, IDENT, True)
    assert seen.pilot_z > 6.5
    assert seen.scale == pytest.approx(1.0, abs=0.01)
    assert all(answer.guarantees.values()), answer.guarantees
    assert answer.ssim >= MINIMUM_SSIM
    assert ssim(luma(original(name)), luma(answer.pixels)) == pytest.approx(answer.ssim)
    assert psnr_db(original(name), answer.pixels) == pytest.approx(answer.psnr_db)
    assert f"{IDENT:016x}" in seen.evidence


@pytest.mark.parametrize(("name", "attack"), [(name, attack) for name in ATTACKS for attack in ATTACKS[name]])
def test_the_id_survives(name: str, attack: str) -> None:
    """The whole id is read after the attack, from nothing but the pixels."""
    run = attacks.ATTACKS.get(attack) or attacks.HARDER[attack]
    seen = detect(run(marked(name).pixels))
    assert (seen.found, seen.ident) == (True, IDENT)


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_quarter_turns_and_mirrors_are_named(turns: int, mirrored: bool) -> None:
    """A turned or mirrored picture is read, and the turn and the mirror are said."""
    pixels = marked("portrait").pixels
    seen = detect(np.ascontiguousarray(np.rot90(pixels[:, ::-1] if mirrored else pixels, turns)))
    assert (seen.found, seen.ident, seen.flipped) == (True, IDENT, mirrored)
    # np.rot90 turns against the clock, and angles grow with it.
    assert (seen.angle_deg + 90 * turns + 180) % 360 - 180 == pytest.approx(0, abs=0.5)


def test_the_same_input_gives_the_same_bytes() -> None:
    """Marking is a function of picture, id and key."""
    again = embed(original("small portrait").copy(), IDENT)
    assert np.array_equal(again.pixels, marked("small portrait").pixels)


def test_the_input_is_not_changed() -> None:
    """Marking writes into a picture of its own."""
    pixels = scene(200, 160)
    before = pixels.copy()
    embed(pixels, IDENT)
    assert np.array_equal(pixels, before)


def test_two_keys_live_in_one_picture() -> None:
    """A second mark of another key leaves the first readable, also after JPEG."""
    both = embed(marked("portrait").pixels, 77, OTHER_KEY).pixels
    for pixels in (both, attacks.jpeg(60)(both)):
        assert detect(pixels).ident == IDENT
        assert detect(pixels, OTHER_KEY).ident == 77


def test_what_a_mark_bears_is_not_measured_by_the_short_way() -> None:
    """An upright crop is found by a short search; the self-test takes the long one, which a turned copy needs."""
    pixels = marked("portrait").pixels[100:, 60:440]
    assert read(luma(pixels), DETECTOR_KEY, "full").stage == "upright"
    assert read(luma(pixels), DETECTOR_KEY, "moved").stage == "similarity"


def test_a_guarantee_is_what_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attack that leaves nothing is named as not survived."""
    nothing_left = (lambda plane: plane * 0 + 128, "straight")
    monkeypatch.setitem(GUARANTEED, "jpeg-50", nothing_left)
    monkeypatch.setitem(HARDEST, "jpeg-10", nothing_left)
    answer = embed(original("small portrait"), IDENT)
    assert answer.guarantees["jpeg-50"] is False
    assert answer.guarantees["half-size"] is True


def test_a_picture_that_stands_only_what_is_promised_keeps_its_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a harder attack alone takes is marked as loudly as the eye allows."""
    monkeypatch.setitem(HARDEST, "jpeg-10", (lambda plane: plane * 0 + 128, "straight"))
    answer = embed(original("portrait"), IDENT)
    assert all(answer.guarantees.values())
    assert answer.ssim < marked("portrait").ssim


# The code.


@settings(max_examples=15, deadline=None)
@given(ident=st.integers(0, 2**64 - 1), seed=st.integers(0, 1000))
def test_a_word_at_minus_two_decibels_is_decoded(ident: int, seed: int) -> None:
    """Every id comes back from a word with more noise than signal; any scale of the soft bits will do."""
    word = code.encode(ident)
    noisy = word + np.random.default_rng(seed).normal(0, 10 ** (2 / 20), word.size)
    decoded = code.decode((noisy * 37).astype(np.float32))
    assert (decoded.ident, decoded.crc_ok) == (ident, True)
    assert 0.02 < decoded.error_rate < 0.4


@pytest.mark.parametrize(("erased", "flipped"), [(0, 0), (176, 0), (0, 80), (132, 40)])
def test_erased_and_flipped_bits_are_repaired(erased: int, flipped: int) -> None:
    """A third of the bits may be missing, or a seventh wrong, wherever they lie."""
    places = np.random.default_rng(9).permutation(code.CODED_BITS)
    word = code.encode(IDENT)
    word[places[:erased]] = 0
    word[places[erased : erased + flipped]] *= -1
    assert code.decode(word).ident == IDENT


def test_a_run_of_erased_bits_is_repaired() -> None:
    """The circle has no weak end: a burst is repaired wherever it lies, across the seam as well."""
    for start in range(0, code.CODED_BITS, 88):
        word = np.roll(code.encode(IDENT), -start)
        word[:50] = 0
        assert code.decode(np.roll(word, start)).ident == IDENT


@pytest.mark.parametrize("ident", [0, 1, IDENT, 2**64 - 1])
def test_one_wrong_bit_is_seen_by_the_crc(ident: int) -> None:
    """No two ids that differ in one bit share a CRC, and a message with a wrong CRC is not accepted."""
    assert len({code.crc24(ident ^ (1 << bit)) for bit in range(64)} | {code.crc24(ident)}) == 65
    forged = code._encode_message(((ident << code.CRC_BITS) | code.crc24(ident)) ^ 1)
    assert not code.decode(forged).crc_ok


def test_the_crc_is_the_one_of_openpgp() -> None:
    """CRC-24 of RFC 4880, by an independent bitwise division."""
    message = (0xB704CE << 64) ^ (IDENT << 24)
    for shift in range(87, 23, -1):
        if message >> shift & 1:
            message ^= 0x1864CFB << (shift - 24)
    assert code.crc24(IDENT) == message & 0xFFFFFF


# The pattern.


def test_patterns_of_two_keys_have_nothing_in_common() -> None:
    """Tiles of two keys, and of two sets of one key, do not correlate."""
    ones, quiet = np.ones(code.CODED_BITS, np.float32), np.ones(PILOTS, np.float32)
    tiles = [
        pattern(key).tile(chosen, ones, ones, quiet, pilot_share=0.2, tilt=0.0)
        for key in (DETECTOR_KEY, OTHER_KEY)
        for chosen in (0, 7)
    ]
    likeness = np.corrcoef([tile.ravel() for tile in tiles])
    assert np.abs(likeness - np.eye(4)).max() < 0.15
    assert all(tile.std() == pytest.approx(1.0, abs=1e-3) for tile in tiles)


def test_a_pattern_never_changes() -> None:
    """The detector's pattern is fixed: pictures marked years ago must stay readable."""
    keyed = pattern(DETECTOR_KEY)
    assert keyed.pilot_bins.shape == (PILOTS, 2)
    assert keyed.pilot_phases.shape == (SETS, PILOTS)
    assert (
        int(keyed.pilot_bins.sum()),
        int((keyed.bits * np.arange(len(keyed.bits))).sum()),
        int((keyed.signs > 0).sum()),
        round(float(keyed.pilot_phases.real.sum()), 2),
    ) == FINGERPRINT


def test_ids_use_all_sixteen_sets() -> None:
    """Averaging many marked pictures meets sixteen patterns."""
    assert {pilot_set(ident, DETECTOR_KEY) for ident in range(300)} == set(range(SETS))


def test_the_jpeg_of_the_self_test_is_jpeg() -> None:
    """Quantising luma by ourselves gives what a real JPEG file gives, to a fraction of a level."""
    plane = luma(original("portrait"))
    grey = plane.astype(np.uint8)[..., None].repeat(3, 2)
    for quality in (15, 50, 80):
        real = luma(attacks.jpeg(quality)(grey))
        assert np.abs(Jpeg(quality)(plane) - real).mean() < 0.4


FINGERPRINT = (2960, 195457184, 9782, -30.75)


@pytest.mark.parametrize("shape", [(300, 40), (96, 33), (97, 11), (7, 9)])
def test_the_similarity_is_the_same_in_pieces(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Working piece by piece changes nothing of the measure, at the borders of pieces neither."""
    random = np.random.default_rng(5)
    first = (random.random(shape) * 255).astype(np.float32)
    second = first + random.standard_normal(shape).astype(np.float32) * 4
    monkeypatch.setattr(measures, "_PIECE_PX", 32)
    in_pieces = ssim(first, second)
    monkeypatch.setattr(measures, "_PIECE_PX", 1 << 20)
    assert in_pieces == pytest.approx(ssim(first, second), abs=1e-6)
