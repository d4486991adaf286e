"""Options of picture engines, checked against what the engine declares."""

from __future__ import annotations

from typing import Any

from compliance.errors import OptionUnfit
from engines.engine import Option, Request

LONGEST_PROMPT = 4000
# A shorter side cannot carry the label that every picture leaves with.
SHORTEST_SIDE_PX = 96


def checked(request: Request, options: tuple[Option, ...]) -> dict[str, Any]:
    """Every option with its value or default; raises OptionUnfit for unknown names and values out of range.

    An option with a minimum is a number, any other a text; prompts hold at most 4000 characters.
    """
    known = {option.name: option for option in options}
    for name in request.options:
        if name not in known:
            raise OptionUnfit(option=name, value=str(request.options[name])[:80], allowed=", ".join(known))
    settings: dict[str, Any] = {}
    for name, option in known.items():
        value = request.options.get(name, option.default)
        number = option.minimum is not None
        fits = isinstance(value, int | float) and not isinstance(value, bool) if number else isinstance(value, str)
        if fits and number:
            fits = float(option.minimum or 0) <= value <= float(option.maximum or value)
        if fits and option.choices:
            fits = value in option.choices
        if not fits:
            allowed = ", ".join(map(str, option.choices)) or f"{option.minimum} – {option.maximum}"
            raise OptionUnfit(option=name, value=str(value)[:80], allowed=allowed)
        settings[name] = value
    for name in ("prompt", "negative"):
        length = len(settings.get(name, ""))
        if length > LONGEST_PROMPT:
            raise OptionUnfit(option=name, value=f"{length} characters", allowed=f"0 – {LONGEST_PROMPT}")
    return settings
