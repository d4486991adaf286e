"""The demo: the bundled portraits go the whole way, from an account to a verified file, and once they are refused.

A scene is painted and a sentence is spoken in two languages as well. The demo has a home of its own inside the user's.
That home is of the kind "demo": it accepts nothing but the two bundled portraits and the words that stand here, and
everything it releases says SAMPLE in its label.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import resources
from compliance.errors import BundledFileDamaged, ConsentError, HomeUnusable, SignetError
from compliance.storage import disk_error, refuse_unwritable
from studio.commands.face import make
from studio.commands.output import Output
from studio.commands.verify import show_reports
from studio.commands.voice import speak_plan
from studio.text import _, sentences

if TYPE_CHECKING:
    from studio.workshop import SwapPlan, Workshop

SAMPLES = Path(resources.__file__).parent / "samples"

DEMO_ACCOUNT = "demo"
# Published on purpose. The demo home can release nothing but SAMPLE-labelled media of the two bundled portraits
# and of its own few words (the gate knows the SHA-256 of each): whoever opens it with this word gains no person, no
# consent and no unlabelled file.
DEMO_PASSWORD = "signet-demo-published-password"
DEMO_OPERATOR = "Signet Demo"
_PURPOSE = "education"
_LIFETIME = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Portrait:
    """One bundled portrait. note: the file that says where it comes from and why it is free."""

    person: str
    path: Path
    note: Path


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the demo: whose face goes onto whom, and the file's name."""

    source: str
    target: str
    name: str


COLLINS, HOPPER = "Eileen Collins", "Grace Hopper"
PICTURES = (
    Picture(COLLINS, HOPPER, "hopper-with-face-of-collins.png"),
    Picture(HOPPER, COLLINS, "collins-with-face-of-hopper.png"),
    Picture(COLLINS, HOPPER, "hopper-with-face-of-collins.jpg"),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """Something of the demo that is made from words; the gate knows the digest of the whole request."""

    engine: str
    options: Mapping[str, Any]
    seed: int
    name: str


SCENE = "a red sunset over snowy mountains and a lake"
WISHES = (
    Wish("picture.sketch", {"prompt": SCENE, "width": 768, "height": 512}, 7, "lake-at-sunset.png"),
    Wish("voice.stock", {"text": "Good morning. This voice belongs to nobody.", "language": "en"}, 0, "english.wav"),
    Wish("voice.stock", {"text": "早上好。这个声音不属于任何人。", "language": "zh"}, 0, "chinese.wav"),
)


class RefusalMissing(Exception):
    """A withdrawn consent was not refused: a fault of the program, never shown as success."""


def portraits() -> dict[str, Portrait]:
    """The bundled portraits by person; raises BundledFileDamaged."""
    note = SAMPLES / "samples.json"
    try:
        listed = json.loads(note.read_text(encoding="utf-8"))["samples"]
        found = {item["person"]: Portrait(item["person"], SAMPLES / item["file"], note) for item in listed}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundledFileDamaged(file="resources/samples/samples.json") from error
    for person in (COLLINS, HOPPER):
        if person not in found or not found[person].path.is_file():
            raise BundledFileDamaged(file=f"resources/samples ({person})")
    return found


def run_demo(home: Path, out: Path, output: Output) -> None:
    """Make the demo's pictures and sounds in the folder out, verify them, and show one refusal.

    home: the user's home; the demo's own lies in home/demo. Files of the demo are replaced, others never.
    Raises HomeUnusable, NotWritable, and whatever a step of the work raises.
    """
    people = portraits()
    prepare_folder(out)
    from studio.workshop import Workshop, make_way

    demo_home = home / "demo"
    try:
        make_way(home)
        demo_home.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise HomeUnusable(path=home, reason=(error.strerror or "unknown").lower()) from error
    with Workshop.open(demo_home, kind="demo") as workshop:
        _sign_in(workshop)
        output.line(_("1. {account} is signed in; the operator's declaration stands.", account=DEMO_ACCOUNT))
        consents = {person: _consent(workshop, portrait) for person, portrait in people.items()}
        for person, consent in consents.items():
            output.line(_("2. Consent of {person} for this one picture: {consent}", person=person, consent=consent))
        files = [_make(workshop, output, people, consents, picture, out) for picture in PICTURES]
        files += [_make_from_words(workshop, output, wish, out) for wish in WISHES]
        output.line(_("4. What the files say about themselves (`signet verify`):"))
        show_reports(output, workshop.verify(files))
        _show_refusal(workshop, output, people, consents)
        label = workshop.label_text()
    output.data({"event": "finished", "files": files, "label": label})
    output.line(_("Done. Every file carries the label “{label}”: {files}", label=label, files=_names(files)))


def prepare_folder(out: Path) -> None:
    """Make the output folder and see that it can be written; raises NotWritable, DiskFull."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, out) from error
    refuse_unwritable(out)


def _sign_in(workshop: Workshop) -> None:
    known = {account.username: account for account in workshop.accounts()}
    if DEMO_ACCOUNT not in known:
        workshop.create_account(DEMO_ACCOUNT, DEMO_PASSWORD, DEMO_OPERATOR)
    session = workshop.session()
    if session is None or session.username != DEMO_ACCOUNT:
        session = workshop.login(DEMO_ACCOUNT, DEMO_PASSWORD)
    elif not session.unlocked:
        session = workshop.unlock(DEMO_PASSWORD)
    if not session.verified:
        workshop.declare(DEMO_OPERATOR)


def _subject(workshop: Workshop, person: str) -> str:
    for subject in workshop.subjects():
        if subject.name == person:
            return subject.id
    return workshop.add_subject(person).id


def _consent(workshop: Workshop, portrait: Portrait, *, fresh: bool = False) -> str:
    """A live consent for the portrait: the one of an earlier run, or a new one. fresh: always a new one."""
    subject_id = _subject(workshop, portrait.person)
    if not fresh:
        for grant in workshop.grants(subject_id):
            if grant.state == "live" and _PURPOSE in grant.purposes:
                return grant.id
    today = date.today()
    return workshop.record_consent(
        subject_id, portrait.path, [_PURPOSE], today, today + _LIFETIME, evidence=portrait.note
    ).id


def _make(
    workshop: Workshop,
    output: Output,
    people: dict[str, Portrait],
    consents: dict[str, str],
    picture: Picture,
    out: Path,
) -> Path:
    source, target = people[picture.source], people[picture.target]
    path, overwrite = destination(workshop, out / picture.name)
    output.line(
        _("3. The face of {source} onto {target}: {path}", source=source.person, target=target.person, path=path)
    )
    plan = workshop.plan_swap(
        source.path, target.path, [consents[source.person], consents[target.person]], purpose=_PURPOSE
    )
    release = make(workshop, output, plan, path, overwrite)
    output.data({"event": "released", **release})
    return path


def planned(workshop: Workshop, wish: Wish) -> SwapPlan:
    """The plan of something that is made from words."""
    if wish.engine == "picture.sketch":
        return workshop.plan_picture(wish.engine, wish.options, seed=wish.seed, purpose=_PURPOSE)
    return workshop.plan_speech(wish.options, seed=wish.seed, purpose=_PURPOSE)


def _make_from_words(workshop: Workshop, output: Output, wish: Wish, out: Path) -> Path:
    path, overwrite = destination(workshop, out / wish.name)
    plan = planned(workshop, wish)
    if wish.engine == "picture.sketch":
        output.line(_("3. A scene is painted by rules from “{words}”: {path}", words=wish.options["prompt"], path=path))
        output.data({"event": "released", **make(workshop, output, plan, path, overwrite)})
    else:
        output.line(_("3. A stock voice says “{words}”: {path}", words=wish.options["text"], path=path))
        speak_plan(workshop, output, plan, path, overwrite)
    return path


def destination(workshop: Workshop, path: Path) -> tuple[Path, bool]:
    """Where a file goes, and whether it may replace what is there: only what the demo itself has made.

    Another file of that name stays; ours then gets a number.
    """
    free, number = path, 1
    while os.path.lexists(free):
        if free.is_file() and not free.is_symlink() and _is_ours(workshop, free):
            return free, True
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free, False


def _is_ours(workshop: Workshop, path: Path) -> bool:
    """Whether a file of the demo's name carries a credential or a SAMPLE label, in whatever state."""
    layers = workshop.verify([path])[0].layers
    return layers["credential"].state in ("intact", "damaged") or bool(layers["explicit"].evidence.get("sample"))


def _show_refusal(workshop: Workshop, output: Output, people: dict[str, Portrait], consents: dict[str, str]) -> None:
    """Record one more consent, withdraw it, and show that the gate says no to a swap under it."""
    source, target = people[COLLINS], people[HOPPER]
    withdrawn = _consent(workshop, source, fresh=True)
    workshop.withdraw_consent(withdrawn, "demo")
    output.line(
        _("5. One more consent of {person} was recorded and withdrawn: {consent}", person=COLLINS, consent=withdrawn)
    )
    plan = workshop.plan_swap(source.path, target.path, [withdrawn, consents[target.person]], purpose=_PURPOSE)
    try:
        running = workshop.start(plan, lambda _event: None)
    except ConsentError as error:
        _say_refused(output, error)
        return
    running.cancel()
    workshop.discard(running)
    raise RefusalMissing


def _say_refused(output: Output, error: SignetError) -> None:
    message, next_step = sentences(error)
    output.data(
        {"event": "refused", "error": error.name, "code": int(error.code), "message": message, "next_step": next_step}
    )
    output.line(_("   A swap under it is refused, as it must be: {message}", message=message))


def _names(files: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in files)
