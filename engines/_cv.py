"""OpenCV, imported without its side effects.

`import cv2` points QT_QPA_PLATFORM_PLUGIN_PATH and QT_QPA_FONTDIR to a Qt 5 of its own, which keeps our window (Qt 6)
from opening; both are put back as they were. How many threads OpenCV may use is the worker's decision, not taken here.
"""

from __future__ import annotations

import os
from typing import Any

_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
_before = {name: os.environ.get(name) for name in _QT_VARIABLES}

import cv2 as _cv2  # noqa: E402 - the variables must be read before the import changes them

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

# OpenCV's stubs widen every array to "some integer or float": shapes and types are stated at our functions instead.
cv2: Any = _cv2
