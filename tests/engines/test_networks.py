"""Neural upscalers and cutters on tiny ONNX models: refusals first, then tiles without seams and masks that fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compliance.errors import (
    ExitCode,
    ModelUnfit,
    OptionUnfit,
    PackDamaged,
    PackMissing,
    PackUnfit,
    PictureTooLarge,
    SignetError,
)
from compliance.media import Pixels, SyntheticMedia, unseal
from engines import packs
from engines.engine import Engine
from engines.job import CancelToken, Event, JobCancelled
from engines.picture import cutout
from studio.packs import add_pack
from tests.engines import tiny_networks
from tests.engines.conftest import permit_for, png, request_for

ABOUT: dict[str, Any] = {"licence": "MIT", "licence_class": packs.LicenceClass.OPEN}
UPSCALER, CUTTER = "picture.upscaler", "picture.cutout"


@pytest.fixture(scope="module")
def home(diffusion_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of diffusion_home with good and bad networks."""
    folder = tmp_path_factory.mktemp("networks")
    made = {
        "up2": (tiny_networks.make_upscaler(folder / "up2.onnx"), UPSCALER),
        "up4": (tiny_networks.make_upscaler(folder / "up4.onnx", 4, 64), UPSCALER),
        "up5": (tiny_networks.make_upscaler(folder / "up5.onnx", 5), UPSCALER),
        "down": (tiny_networks.make_shrinker(folder / "down.onnx"), UPSCALER),
        "grey": (tiny_networks.make_grey_model(folder / "grey.onnx"), UPSCALER),
        "infinite": (tiny_networks.make_infinite(folder / "infinite.onnx"), UPSCALER),
        "bare": (tiny_networks.make_upscaler(folder / "bare.onnx"), None),
        "any-size": (tiny_networks.make_cutter(folder / "any-size.onnx", None), CUTTER),
    }
    garbage = folder / "garbage.onnx"
    garbage.write_bytes(b"no model at all")
    made["garbage"] = garbage, UPSCALER
    for name, (source, kind) in made.items():
        add_pack(diffusion_home, source, pack_id=name, kind=kind, **ABOUT)
    settled = folder / "settled"
    tiny_networks.make_cutter(settled / "model.onnx", None)
    for name, told in {"settled": {"size": 48, "mean": [0, 0, 0], "deviation": [1, 1, 1]}, "bent": {"size": 9}}.items():
        (settled / "cutout.json").write_text(json.dumps(told))
        add_pack(diffusion_home, settled, pack_id=name, kind=CUTTER, **ABOUT)
    return diffusion_home


@pytest.fixture
def make(engine_of: Callable[[str], Engine], home: Path) -> Callable[..., Any]:
    """Runs an engine on a picture: the sealed result."""

    def run(engine_id: str, pixels: Pixels, events: Any = None, cancel: Any = None, **options: object) -> Any:
        engine = engine_of(engine_id)
        request = request_for(engine, ("target",), **options)
        given = {"target": png(pixels)}
        media = engine.run(request, permit_for(request), given, events or (lambda _: None), cancel or CancelToken())  # type: ignore[arg-type]  # roles by name
        assert isinstance(media, SyntheticMedia)
        return media

    return run


@pytest.fixture(scope="module")
def scene() -> Pixels:
    """Colours that change everywhere, larger than a tile in both directions, with odd sides."""
    y, x = np.mgrid[0:211, 0:333]
    return np.dstack([x % 256, (y * 3) % 256, (x * y) % 251]).astype(np.uint8)


PLAIN = {"denoise": 0.0, "contrast": 0.0, "fade": 0.0, "scale": 1}

REFUSED: list[tuple[str, dict[str, object], type[SignetError]]] = [
    ("picture.enhance", {"pack": "nothing"}, PackMissing),
    ("picture.enhance", {"pack": "../up2"}, PackMissing),
    ("picture.enhance", {"pack": "tiny"}, PackUnfit),
    ("picture.enhance", {"pack": "cutter"}, PackUnfit),
    ("picture.enhance", {"pack": "garbage"}, ModelUnfit),
    ("picture.enhance", {"pack": "grey"}, ModelUnfit),
    ("picture.enhance", {"pack": "down"}, ModelUnfit),
    ("picture.enhance", {"pack": "up5"}, ModelUnfit),
    ("picture.enhance", {"pack": "infinite"}, ModelUnfit),
    ("picture.cutout", {"pack": ""}, PackMissing),
    ("picture.cutout", {"pack": "up2"}, PackUnfit),
    ("picture.cutout", {"pack": "bent"}, ModelUnfit),
    ("picture.cutout", {"background": "transparent"}, OptionUnfit),
    ("picture.cutout", {"background": "#12345"}, OptionUnfit),
    ("picture.cutout", {"result": "alpha"}, OptionUnfit),
]


@pytest.mark.parametrize(("engine_id", "options", "error"), REFUSED, ids=[f"{e} {o}" for e, o, _ in REFUSED])
def test_refusals(
    make: Callable[..., Any], scene: Pixels, engine_id: str, options: dict[str, object], error: type[SignetError]
) -> None:
    """Other packs, models by no contract, numbers that are none, transparency: a sentence and a code each."""
    plain = PLAIN if engine_id == "picture.enhance" else {}
    with pytest.raises(error) as refusal:
        make(engine_id, scene[:64, :64], **{**plain, **options})
    assert refusal.value.code in (ExitCode.MODEL, ExitCode.USAGE)


def test_a_changed_network_is_not_loaded(make: Callable[..., Any], home: Path, scene: Pixels, tmp_path: Path) -> None:
    """Its digest is taken before onnxruntime sees it."""
    add_pack(home, tiny_networks.make_upscaler(tmp_path / "m.onnx"), pack_id="touched-up", kind=UPSCALER, **ABOUT)
    path = home / "packs" / "touched-up" / "m.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(PackDamaged):
        make("picture.enhance", scene, **PLAIN, pack="touched-up")


def test_what_would_be_too_large_is_not_begun(make: Callable[..., Any]) -> None:
    """The limit holds for what the model makes, also when less was asked for."""
    with pytest.raises(PictureTooLarge):
        make("picture.enhance", np.zeros((4100, 4100, 3), np.uint8), **PLAIN, pack="up4")


def test_tiles_leave_no_seam(make: Callable[..., Any], scene: Pixels) -> None:
    """The tiny model blurs, so a tile that did not see its surroundings would show; whole and in tiles are the same."""
    import cv2

    media = make("picture.enhance", scene, **PLAIN, pack="up2")
    made = unseal(media)
    assert made.shape == (422, 666, 3) and media.info.origin == "compositeWithTrainedAlgorithmicMedia"
    blurred = cv2.blur(scene.astype(np.float32), (5, 5), borderType=cv2.BORDER_REFLECT)
    whole = np.repeat(np.repeat(blurred, 2, axis=0), 2, axis=1)
    assert np.abs(made - whole).max() <= 1
    # A model with a size of its own is shown smaller tiles.
    fixed = unseal(make("picture.enhance", scene, **PLAIN, pack="up4"))
    assert fixed.shape == (844, 1332, 3)
    assert np.abs(fixed[::2, ::2] - whole).max() <= 1


def test_the_scale_that_was_asked_for(make: Callable[..., Any], scene: Pixels) -> None:
    """Without a scale as large as the model makes it; else brought to the scale. A lone ONNX file works as well."""
    small = scene[:40, :50]
    for pack, scale, size in (("bare", 1, (80, 100)), ("up2", 4, (160, 200)), ("up4", 2, (80, 100))):
        made = unseal(make("picture.enhance", small, **{**PLAIN, "scale": scale}, pack=pack))
        assert made.shape == (*size, 3)


def test_cancel_stops_between_tiles(make: Callable[..., Any], scene: Pixels) -> None:
    """Nothing comes out of a picture that was stopped half way."""
    token = CancelToken()

    def stop(_event: Event) -> None:
        token.cancel()

    with pytest.raises(JobCancelled):
        make("picture.enhance", scene, events=stop, cancel=token, **PLAIN, pack="up2")


@pytest.mark.parametrize("pack", ["cutter", "any-size", "settled"])
def test_the_front_on_a_colour(make: Callable[..., Any], pack: str) -> None:
    """The tiny model takes red for the front: a red disc stays, around it is the colour."""
    y, x = np.mgrid[0:120, 0:160]
    disc = (x - 80) ** 2 + (y - 60) ** 2 < 40**2
    pixels = np.where(disc[..., None], (230, 20, 20), (20, 220, 40)).astype(np.uint8)
    made = unseal(make("picture.cutout", pixels, pack=pack, background="#0047ff"))
    assert np.abs(made[60, 80].astype(int) - (230, 20, 20)).max() <= 2
    assert np.abs(made[5, 5].astype(int) - (0, 0x47, 255)).max() <= 2
    mask = unseal(make("picture.cutout", pixels, pack=pack, result="mask"))
    assert ((mask[..., 0] > 127) == disc).mean() > 0.97


def test_an_empty_front_is_told(make: Callable[..., Any]) -> None:
    """A model that finds nothing, or takes all, is believed, and the user hears of it."""
    for colour, warning in (((0, 255, 0), cutout.N_NOTHING), ((255, 0, 0), cutout.N_ALL)):
        pixels = np.full((80, 80, 3), colour, np.uint8)
        media = make("picture.cutout", pixels, pack="settled")
        assert media.info.warnings == (warning,)
        assert np.array_equal(unseal(media), pixels) == (warning == cutout.N_ALL)
