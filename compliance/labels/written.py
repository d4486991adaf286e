"""The explicit label of text: the same words on its first and on its last line, seen as a reader sees them.

GB 45438-2025 5.1 asks text for both elements ("AI" and "生成") at its start, end or middle; a release has them at both
ends. Pages of a PDF are looked at as pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from compliance.documents import DocumentContainer
from compliance.documents_pdf import pdf_library
from compliance.errors import LabelTooWeak
from compliance.labels import explicit
from compliance.labels.lettering import CHINESE, ENGLISH, SAMPLE, SEPARATOR
from compliance.media import Pixels

PAGE_DPI: Final = 110
_LONGEST_PX = 6000
_DPI_OF_A_POINT = 72


@dataclass(frozen=True, slots=True)
class Written:
    """What a reader meets. first, last: whether the words stand there; sample: whether they say so too."""

    first: bool
    last: bool
    sample: bool
    hidden: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether there is any notice at all."""
        return self.first or self.last


def words(*, sample: bool) -> str:
    """The words of the notice."""
    return SEPARATOR.join((SAMPLE, CHINESE, ENGLISH) if sample else (CHINESE, ENGLISH))


def measure(data: bytes, container: DocumentContainer) -> Written:
    """Look at the start and the end of a document; raises LabelPartMissing where a PDF cannot be drawn."""
    if container.format == "pdf":
        return _measure_pages(data, container)
    said = [_said(container.first), _said(container.last)]
    samples = [sample for sample in said if sample is not None]
    return Written(said[0] is not None, said[1] is not None, bool(samples) and all(samples), container.hidden)


def _said(line: str) -> bool | None:
    """Whether a line is the notice of a sample; None when it is no notice."""
    plain = " ".join(line.split())
    return {words(sample=False): False, words(sample=True): True}.get(plain)


def _measure_pages(data: bytes, container: DocumentContainer) -> Written:
    seen = [explicit.measure(picture) for picture in first_and_last_page(data)]
    intact = [explicit.state(one) == "intact" for one in seen]
    samples = [one.sample for one, fine in zip(seen, intact, strict=True) if fine]
    return Written(intact[0], intact[-1], bool(samples) and all(samples), container.hidden)


def first_and_last_page(data: bytes) -> list[Pixels]:
    """The first and the last page of a PDF as a viewer shows them: uint8, (height, width, 3); one page counts twice."""
    pdfium = pdf_library()
    pages = pdfium.PdfDocument(data)
    try:
        return [drawn_page(pages[index]) for index in (0, len(pages) - 1)]
    finally:
        pages.close()


def drawn_page(page: Any) -> Pixels:
    """One page of pypdfium2 as a viewer shows it: uint8, (height, width, 3), sRGB."""
    import numpy as np

    scale = min(PAGE_DPI / _DPI_OF_A_POINT, _LONGEST_PX / max(page.get_size()))
    picture = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False).to_numpy()
    return np.ascontiguousarray(picture[..., :3])


def state(found: Written) -> Literal["intact", "damaged", "absent"]:
    """absent without any notice, damaged when one is missing or might be unseen."""
    if not found.found:
        return "absent"
    return "intact" if found.first and found.last and not found.hidden else "damaged"


def reasons(found: Written) -> tuple[str, ...]:
    """Why it is not intact, in English; empty when it is."""
    told = [] if found.first else ["the notice is missing at the start"]
    told += [] if found.last else ["the notice is missing at the end"]
    return (*told, *found.hidden) if found.found else ("no notice was found",)


def evidence(found: Written) -> dict[str, Any]:
    """Plain data for a report."""
    return {"first": found.first, "last": found.last, "sample": found.sample}


def require(found: Written, *, sample: bool) -> None:
    """Raise LabelTooWeak unless the notice stands at both ends, can be seen, and says what the home's kind asks."""
    if state(found) != "intact":
        raise LabelTooWeak(layer="explicit", reason="; ".join(reasons(found)))
    if found.sample != sample:
        raise LabelTooWeak(layer="explicit", reason="the word SAMPLE is missing or out of place")
