"""Whose voice a pack takes on: the recording, the consent that is used for it, and what is still missing."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.text import _
from studio.window.models.voices import VoicesModel
from studio.window.pages.more_scope import MoreScope
from studio.window.pages.voice_recording import RecordingCard
from studio.window.widgets.basic import column, label
from studio.window.widgets.wave_panel import Ear

# The engine refuses less; said here before anything starts.
SHORTEST_REFERENCE_S = 3.0


class VoicePerson(QWidget):
    """Hidden but for packs that take on voices. `record_asked` with the file a consent is to be recorded for.

    more: what else the result is for; it and its toggle stand where the caller puts them.
    """

    record_asked = Signal(Path)

    def __init__(self, model: VoicesModel, ear: Ear) -> None:
        super().__init__()
        self._model = model
        self.card = RecordingCard("reference", model, ear)
        self.card.record_asked.connect(self.record_asked)
        self.more = MoreScope(model, "voice_speak")
        self._own = label(
            _("Without a recording the pack speaks in a voice of its own, which is nobody's likeness."), "small"
        )
        body = column(self.card, self._own, spacing=4)
        body.setContentsMargins(0, 0, 0, 0)
        self.setLayout(body)

    @property
    def is_filled(self) -> bool:
        """Whether a recording is there to be looked at."""
        return self.card.slot.heard is not None

    def show_pack(self, pack_id: str) -> None:
        """Show the model as it is now, for this pack; "" for a built-in voice."""
        model = self._model
        is_here, takes_on = pack_id in model.clones, model.takes_on(pack_id)
        self.setVisible(is_here)
        self.card.on_changed()
        self._own.setVisible(is_here and not takes_on)
        self.more.on_changed()
        self.more.setVisible(takes_on and self.more.toggle.isChecked())
        self.more.toggle.setVisible(takes_on)

    def lack(self, pack_id: str) -> str:
        """What is missing before the voice may be asked for, and what to do next; "" when nothing is."""
        model = self._model
        if not model.takes_on(pack_id):
            return ""
        slot = model.slots["reference"]
        if slot.path is None:
            return _("Next: choose a recording of the person whose voice is taken on.")
        if slot.state == "ready" and slot.heard is not None:
            start_s, end_s = slot.part
            if (end_s or slot.heard.seconds) - start_s < SHORTEST_REFERENCE_S:
                return _("Next: choose a recording, or a part of it, of at least three seconds.")
        return model.lack(("reference",))

    def sentence(self, pack_id: str) -> str:
        """What stands beside the button: what is missing, or under which consent it speaks."""
        model = self._model
        if not model.takes_on(pack_id):
            return _("These voices are nobody's likeness: no consent is needed.")
        missing = self.lack(pack_id) or model.uncovered(("reference",))
        if missing:
            return missing
        names = ", ".join(dict.fromkeys(one.subject_name or one.subject_id for one in model.used("reference")))
        ids = ", ".join(one.id for one in model.used("reference"))
        return _("It speaks in the voice of {name}, under the consent {consent}.", name=names, consent=ids)
