"""Options of voice engines, checked against what the engine declares."""

from __future__ import annotations

import math
from typing import Any

from compliance.errors import OptionUnfit
from engines.engine import Option, Request


def checked(request: Request, options: tuple[Option, ...]) -> dict[str, Any]:
    """Every option with its value or default; raises OptionUnfit for unknown names and values that do not fit.

    An option with a minimum is a number, any other a text.
    """
    known = {option.name: option for option in options}
    for name in request.options:
        if name not in known:
            raise OptionUnfit(option=name, value=str(request.options[name])[:80], allowed=", ".join(known))
    settings: dict[str, Any] = {}
    for name, option in known.items():
        value = request.options.get(name, option.default)
        if option.minimum is not None:
            fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            fits = fits and option.minimum <= value <= (math.inf if option.maximum is None else option.maximum)
        else:
            fits = isinstance(value, str)
        if not fits or (option.choices and value not in option.choices):
            allowed = ", ".join(map(str, option.choices)) or f"{option.minimum} – {option.maximum}"
            raise OptionUnfit(option=name, value=str(value)[:80], allowed=allowed)
        settings[name] = value
    return settings
