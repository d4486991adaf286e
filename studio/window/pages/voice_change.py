"""Changing a recorded voice: leaning it towards that of a consented person, or editing its attributes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from studio.text import _
from studio.window.models.bench import ROLES, is_territory
from studio.window.models.voices import ATTRIBUTE, CONVERTER, LEAN, VoicesModel
from studio.window.pages.more_scope import MoreScope
from studio.window.pages.voice_options import OptionSliders
from studio.window.pages.voice_recording import RecordingCard
from studio.window.widgets.basic import button, card, chip, column, holder, label, named, restyle, row
from studio.window.widgets.wave_panel import Ear
from studio.window.words import PURPOSES, licence_word, purpose_word

_PARTS = ("start_s", "end_s", "reference_start_s", "reference_end_s")


class ChangePart(QWidget):
    """Recordings, settings and the button; `record_asked` with the file for which a consent is to be recorded."""

    record_asked = Signal(Path)

    def __init__(self, model: VoicesModel, ear: Ear) -> None:
        super().__init__()
        from engines.voice.attribute import EditVoice
        from engines.voice.convert import LeanVoice

        self._model = model
        self._way = named(QComboBox(), "voice_way", _("What is changed"))
        self._way.addItem(_("Lean towards another voice"), LEAN)
        self._way.addItem(_("Edit this voice"), ATTRIBUTE)
        self._way.setCurrentIndex(max(0, self._way.findData(model.way)))
        self._way.currentIndexChanged.connect(lambda _index: model.set_way(self._way.currentData()))
        self._honest = label("", "muted")
        self._licence = chip("", "plain")
        head = row(self._way, self._honest, self._licence, spacing=14)
        head.setStretch(1, 1)
        self.cards = {role: RecordingCard(role, model, ear) for role in ROLES}
        self._sides = {role: card(column(self.cards[role]), 14) for role in ROLES}
        for one in self.cards.values():
            one.record_asked.connect(self.record_asked)
        both = row(*(self._sides[role] for role in ROLES), spacing=14)
        for place in range(len(ROLES)):
            both.setStretch(place, 1)
        options = {LEAN: LeanVoice.options, ATTRIBUTE: EditVoice.options}
        self.sliders = {
            way: OptionSliders(
                f"voice_{way.removeprefix('voice.')}", [one for one in options[way] if one.name not in _PARTS]
            )
            for way in (LEAN, ATTRIBUTE)
        }
        self._purpose = named(QComboBox(), "voice_purpose", _("Purpose"))
        for purpose in PURPOSES:
            self._purpose.addItem(purpose_word(purpose), purpose)
        self._purpose.setCurrentIndex(max(0, self._purpose.findData(model.purpose)))
        self._purpose.currentIndexChanged.connect(lambda _index: model.set_purpose(self._purpose.currentData()))
        self._more = MoreScope(model, "voice")
        self.make = button("voice_change_make", _("Make"), "primary", "make")
        self.make.clicked.connect(self.on_make)
        self._why = label("", "muted")
        self._why.setObjectName("voice_why")
        fields = row(
            holder(column(*self.sliders.values())),
            column(label(_("Purpose"), "strong"), self._purpose, 1, spacing=4),
            spacing=24,
        )
        fields.setStretch(0, 1)
        foot = row(self._more.toggle, self._why, self.make, spacing=16)
        foot.setStretch(1, 1)
        body = column(head, both, card(column(fields, self._more, foot, spacing=12), 16), 1, spacing=14)
        body.setContentsMargins(0, 0, 0, 0)
        self.setLayout(body)
        self.on_changed()

    def on_changed(self) -> None:
        """Show recordings, consents and what is missing."""
        model = self._model
        if self._way.currentData() != model.way:
            self._way.setCurrentIndex(self._way.findData(model.way))
        self._show_packs()
        self._honest.setText(
            _("It takes on pitch, tune and colour of the other voice; it does not imitate the person.")
            if model.way == LEAN
            else _("A neural model gives the speech the other voice, with the consent of both people.")
            if model.engine == CONVERTER
            else _("Pitch, size, breath, pace and liveliness change; the words stay.")
        )
        for role in ROLES:
            self._sides[role].setVisible(role in model.roles())
            self.cards[role].on_changed()
        for way, sliders in self.sliders.items():
            sliders.setVisible(way == model.way)
        self._more.on_changed()
        self._why.setText(self._missing())
        self.make.setEnabled(model.is_ready() and is_territory(model.territory) and not model.is_active)

    def _show_packs(self) -> None:
        """Each converter among the packs is a way of its own."""
        model = self._model
        known = [self._way.itemData(place) for place in range(2, self._way.count())]
        if known != [f"{CONVERTER}:{pack.id}" for pack in model.converters]:
            self._way.blockSignals(True)
            while self._way.count() > 2:
                self._way.removeItem(2)
            for pack in model.converters:
                self._way.addItem(_("Convert by {name} (model pack)", name=pack.title), f"{CONVERTER}:{pack.id}")
            self._way.setCurrentIndex(max(0, self._way.findData(model.way)))
            self._way.blockSignals(False)
        chosen = model.converter
        self._licence.setVisible(chosen is not None)
        if chosen is not None:
            text, kind = licence_word(chosen.licence_class.value)
            self._licence.setText(text)
            self._licence.setProperty("chip", kind)
            restyle(self._licence)

    def _missing(self) -> str:
        model = self._model
        if model.is_active:
            return _("A voice is being made.")
        if "source" in model.roles() and model.slots["source"].path is None:
            return _("Next: choose the recording of the voice it leans towards.")
        if model.slots["target"].path is None:
            return _("Next: choose the recording that is changed.")
        return model.lack(model.roles()) or model.uncovered(model.roles()) or _("Everything is there.")

    def on_make(self) -> None:
        """Ask for the work; the gate is asked before a sample is touched."""
        if self.make.isEnabled():
            sliders = self.sliders.get(self._model.way)
            self._model.change(sliders.values() if sliders is not None else {})
