"""How the drawn label may look, and what each jurisdiction asks for: presets that may add to the label, never take.

The size, contrast, words and place that GB 45438-2025 asks for are no part of a style: they hold under every preset,
and what stands on the picture is measured against them whatever a style says. A name that is not known here means the
standard look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

Plate = Literal["auto", "light", "dark"]
Position = Literal["auto", "bottom-right", "bottom-left", "top-right", "top-left"]


@dataclass(frozen=True, slots=True)
class LabelStyle:
    """A look. plate: auto is dark on a light ground and light on a dark one. scale: size of the letters by the usual.

    icon: add "AI GENERATED" or "AI MODIFIED" in the form of the European icon. position: kept unless a face is there.
    Raises ValueError for a scale below 1: a style may only add.
    """

    plate: Plate = "auto"
    scale: float = 1.0
    icon: bool = False
    position: Position = "auto"

    def __post_init__(self) -> None:
        if not 1.0 <= self.scale <= 2.0:
            raise ValueError("a label may be up to twice its usual size, and never smaller")


STANDARD: Final = LabelStyle()
STYLES: Final[Mapping[str, LabelStyle]] = {
    "standard": STANDARD,
    "light": LabelStyle(plate="light"),
    "dark": LabelStyle(plate="dark"),
    "large": LabelStyle(scale=1.5),
    "eu": LabelStyle(icon=True),
}
POSITIONS: Final[tuple[Position, ...]] = ("auto", "bottom-right", "bottom-left", "top-right", "top-left")


@dataclass(frozen=True, slots=True)
class JurisdictionRule:
    """What one jurisdiction asks of a file. ink_share: of the text by the shorter side, 0 where no figure is set.

    elements: of the words. layers: that the file must carry. icon, position: what its own guidance suggests on top.
    source: where that stands.
    """

    ink_share: float
    elements: frozenset[str]
    layers: frozenset[str]
    icon: bool
    position: Position
    source: str


_SEEN: Final = frozenset({"ai", "generated"})
JURISDICTIONS: Final[Mapping[str, JurisdictionRule]] = {
    "CN": JurisdictionRule(
        ink_share=0.05,
        elements=frozenset({"ai", "generated", "hanzi"}),
        layers=frozenset({"explicit", "aigc"}),
        icon=False,
        position="auto",
        source="GB 45438-2025 5.2, 6.1, Annex E; Labelling Measures 2025 Art. 4, 5; Deep Synthesis Art. 16, 17",
    ),
    "EU": JurisdictionRule(
        ink_share=0.0,
        elements=_SEEN,
        layers=frozenset({"explicit", "iptc", "credential", "watermark"}),
        icon=True,
        position="top-right",
        source="AI Act Art. 50(2) and (4); Code of Practice of 10 June 2026, 1.1.1, 1.1.2, section 2 and Annex 1",
    ),
    "US-CA": JurisdictionRule(
        ink_share=0.0,
        elements=_SEEN,
        layers=frozenset({"explicit", "iptc", "credential"}),
        icon=False,
        position="auto",
        source="California SB 942 as amended by AB 853, Bus. & Prof. Code 22757.3(a) and (b)",
    ),
    "IN": JurisdictionRule(
        ink_share=0.0,
        elements=_SEEN,
        layers=frozenset({"explicit", "credential"}),
        icon=False,
        position="auto",
        source="IT Rules as amended by G.S.R. 120(E) of 10 February 2026, Rule 3(3)(a)(ii); no figure is in force",
    ),
    "KR": JurisdictionRule(
        ink_share=0.0,
        elements=_SEEN,
        layers=frozenset({"explicit"}),
        icon=False,
        position="auto",
        source="AI Basic Act (Act 20676) Art. 31(2) and (3); guideline on content that leaves the service",
    ),
}
ALL: Final = "ALL"
CHOICES: Final = (ALL, *JURISDICTIONS)


def rule_for(jurisdiction: str) -> JurisdictionRule:
    """What one jurisdiction and China together ask for; ALL and names that are not known: all of them together.

    Of figures the larger counts, of words and layers the union, so no preset is weaker than China's. What guidance only
    suggests is taken where that jurisdiction is chosen by name.
    """
    named = [JURISDICTIONS[name] for name in ("CN", jurisdiction) if name in JURISDICTIONS]
    rules = named if jurisdiction in JURISDICTIONS else list(JURISDICTIONS.values())
    chosen = JURISDICTIONS.get(jurisdiction, JURISDICTIONS["CN"])
    return JurisdictionRule(
        ink_share=max(rule.ink_share for rule in rules),
        elements=frozenset().union(*(rule.elements for rule in rules)),
        layers=frozenset().union(*(rule.layers for rule in rules)),
        icon=chosen.icon,
        position=chosen.position,
        source="; ".join(rule.source for rule in rules),
    )


@dataclass(frozen=True, slots=True)
class LabelChoice:
    """What the user chose, by name; a name that is not known means the standard."""

    style: str = "standard"
    position: str = "auto"
    jurisdiction: str = ALL


USUAL: Final = LabelChoice()


def style_of(name: str, position: str = "auto", jurisdiction: str = ALL) -> LabelStyle:
    """The look that is drawn; whatever is not known here falls back to the standard, never to less."""
    style, rule = STYLES.get(name, STANDARD), rule_for(jurisdiction)
    place: Position = next((known for known in POSITIONS if known == position), "auto")
    if place == "auto":
        place = rule.position
    return replace(style, icon=style.icon or rule.icon, position=place)
