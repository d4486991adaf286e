"""How the drawn label looks under the chosen presets, on a picture of nothing."""

from __future__ import annotations

from compliance.labels.styles import LabelChoice, style_of

WIDTH, HEIGHT = 720, 405


def sample_label(choice: LabelChoice, sample: bool = False) -> tuple[int, int, bytes]:
    """Width, height and RGB bytes of a calm gradient with the label on it. sample: with the word of demo homes."""
    import numpy as np

    from compliance.labels.explicit import draw

    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = 0.55 + 0.35 * np.cos(across / WIDTH * 3.0) * (1 - down / HEIGHT)
    hill = down > HEIGHT * (0.62 + 0.1 * np.sin(across / 90) + 0.04 * np.sin(across / 31))
    sky = np.stack([light * 190, light * 205, light * 235], axis=2)
    land = np.stack([70 + 30 * light, 92 + 40 * light, 84 + 20 * light], axis=2)
    pixels = np.where(hill[..., None], land, sky).clip(0, 255).astype(np.uint8)
    drawn, _ = draw(pixels, sample=sample, style=style_of(choice.style, choice.position, choice.jurisdiction))
    return WIDTH, HEIGHT, drawn.tobytes()
