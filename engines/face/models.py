"""The model files of the built-in face engine; each is compared with its SHA-256 before it is used."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

import resources
from compliance.errors import ModelDamaged
from engines._cv import cv2

CATALOGUE = "models.json"
MODELS_FOLDER = Path(str(resources.__file__)).parent / "models"


def read_model(name: str) -> bytes:
    """The bytes of one file listed in resources/models/models.json.

    Raises ModelDamaged when the file or its listing is missing, or the SHA-256 differs.
    """
    try:
        listed: dict[str, dict[str, str]] = json.loads((MODELS_FOLDER / CATALOGUE).read_bytes())["files"]
        expected = listed[name]["sha256"]
        data = (MODELS_FOLDER / name).read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(file=name) from error
    if hashlib.sha256(data).hexdigest() != expected:
        raise ModelDamaged(file=name)
    return data


def read_network(name: str) -> Any:
    """A tflite file as an OpenCV network; raises ModelDamaged."""
    data = np.frombuffer(read_model(name), np.uint8)
    try:
        return cv2.dnn.readNetFromTFLite(data)
    except cv2.error as error:
        raise ModelDamaged(file=name) from error
