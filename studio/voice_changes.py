"""Plans for changing a recorded voice: leaning it towards another, editing its attributes. Both need consents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from compliance.errors import NotADocument, NotAPicture, NotASound, NotAVideo, OptionUnfit, PackUnfit
from compliance.permit import PackUse
from engines.engine import Input, Option, Request
from engines.sound import LONGEST_S
from engines.voice.converter_models import KIND
from engines.voice.hearing import PART, REFERENCE_PART
from studio.inputs import read_input, verify_is_file
from studio.packs import find_pack
from studio.recognition import HeardVoice

LEAN: Final = "voice.lean"
ATTRIBUTE: Final = "voice.attribute"
CONVERTER: Final = "voice.converter"
SHORTEST_PART_S: Final = 0.2
# Decoders differ by some samples about where a recording ends.
_ROUNDING_S = 0.05
FUNCTIONS: Final[Mapping[str, str]] = {LEAN: "voice.convert", ATTRIBUTE: "voice.attribute", CONVERTER: "voice.convert"}


def plan(
    home: Path,
    listen: Callable[[str, bytes], HeardVoice],
    engine_id: str,
    options: Mapping[str, Any],
    *,
    target: Path,
    source: Path | None,
    consents: Sequence[str],
    purpose: str,
    declared_uses: Sequence[str],
    territory: str,
    project: str,
) -> tuple[Request, tuple[bytes, ...]]:
    """The request and the bytes of its recordings; see Workshop.plan_voice."""
    if engine_id not in FUNCTIONS:
        raise OptionUnfit(option="engine", value=engine_id[:80], allowed=", ".join(FUNCTIONS))
    packs = _packs(home, options) if engine_id == CONVERTER else ()
    _verify_options(engine_id, options)
    inputs: list[Input] = []
    recordings: list[bytes] = []
    roles: tuple[tuple[Literal["source", "target"], Path | None], ...] = (("source", source), ("target", target))
    for role, path in roles:
        if path is None:
            continue
        data = read_recording(path)
        verify_part(options, role, listen(path.name, data).recording_s)
        # One recording is one voice; the encoder looks for others in between.
        inputs.append(Input(role, "voice", hashlib.sha256(data).hexdigest(), path.name, (1,), 1))
        recordings.append(data)
    request = Request(
        function=FUNCTIONS[engine_id],
        engine=engine_id,
        inputs=tuple(inputs),
        options=dict(options),
        purpose=purpose,
        faces_edited=1,
        consents=tuple(dict.fromkeys(consents)),
        declared_uses=tuple(dict.fromkeys(declared_uses)),
        territory=territory,
        project=project,
        packs=packs,
    )
    return request, tuple(recordings)


def read_recording(path: Path) -> bytes:
    """All bytes of a sound file; raises FileMissing, NotASound."""
    try:
        return read_input(path)
    except (NotAPicture, NotAVideo, NotADocument) as error:
        raise NotASound(**error.data) from error


def verify_recording(path: Path) -> None:
    """Raise FileMissing where nothing is, and NotASound for what is no file."""
    try:
        verify_is_file(path)
    except (NotAPicture, NotAVideo, NotADocument) as error:
        raise NotASound(**error.data) from error


def _packs(home: Path, options: Mapping[str, Any]) -> tuple[PackUse, ...]:
    """The converter that is asked for; raises PackMissing, PackDamaged, PackUnfit."""
    pack = find_pack(home, str(options.get("pack", "")))
    if pack.kind != KIND:
        raise PackUnfit(pack=pack.id, kind=pack.kind, wanted=KIND)
    return (PackUse(pack.id, pack.digest(), pack.licence_class.value),)


def _verify_options(engine_id: str, options: Mapping[str, Any]) -> None:
    """Raise OptionUnfit for a value outside of what the engine offers."""
    known: dict[str, Option] = {option.name: option for option in _options(engine_id)}
    for name, value in options.items():
        if name == "pack" and name in known:
            continue
        option = known.get(name)
        if option is None:
            raise OptionUnfit(option=name[:40], value=value, allowed=", ".join(known))
        low, high = option.minimum or 0.0, option.maximum or 1.0
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise OptionUnfit(option=_switch(name), value=value, allowed=f"{low:g} – {high:g}")


def part_options(start_s: float | None, end_s: float | None, *, of_reference: bool = False) -> dict[str, float]:
    """The options for a part of a recording; None where nothing was said. Raises OptionUnfit for an end of 0."""
    begins, ends = REFERENCE_PART if of_reference else PART
    if end_s == 0:
        # To the engine 0 is the end of the recording; who writes it means something else.
        raise OptionUnfit(option=_switch(ends.name), value=0, allowed=f"{SHORTEST_PART_S:g} – {LONGEST_S:g}")
    return {name: value for name, value in ((begins.name, start_s), (ends.name, end_s)) if value is not None}


def verify_part(options: Mapping[str, Any], role: str, recording_s: float) -> None:
    """Raise OptionUnfit for a part that does not lie in its recording, or that is shorter than a fifth of a second."""
    begins, ends = PART if role == "target" else REFERENCE_PART
    start_s, end_s = (options.get(option.name, 0.0) for option in (begins, ends))
    for option, value, low, high in (
        (begins, start_s, 0.0, recording_s - SHORTEST_PART_S),
        (ends, end_s or recording_s, start_s + SHORTEST_PART_S, recording_s),
    ):
        if option.name in options and not low - _ROUNDING_S <= value <= high + _ROUNDING_S:
            allowed = f"{low:.4g} – {max(low, high):.4g}"
            raise OptionUnfit(option=_switch(option.name), value=value, allowed=allowed)


def _switch(name: str) -> str:
    """An option as it is written on the command line."""
    return "--" + name.removesuffix("_s").replace("_", "-")


def _options(engine_id: str) -> tuple[Option, ...]:
    if engine_id == CONVERTER:
        from engines.voice.converter import ConvertVoice

        return ConvertVoice.options
    if engine_id == LEAN:
        from engines.voice.convert import LeanVoice

        return LeanVoice.options
    from engines.voice.attribute import EditVoice

    return EditVoice.options
