"""A place for one recording: drop or choose, then its sound, the part in use, and whose consent covers it."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QCheckBox, QLabel, QSizePolicy, QWidget

from studio.text import _, word
from studio.window import icons
from studio.window.advice import advice
from studio.window.models.voices import Place, VoicesModel
from studio.window.widgets.basic import button, clear, column, holder, label, named, row
from studio.window.widgets.drop_frame import DropFrame
from studio.window.widgets.wave_panel import Ear, WavePanel
from studio.window.words import purposes_text

EMPTY_PX = 150
WIDEST_LINE = 42


def recording_title(role: Place, way: str) -> str:
    """What a place is for."""
    if role == "reference":
        return _("Recording whose voice is taken on")
    if role == "source":
        return _("Voice it leans towards (reference)")
    return _("Speech that is changed") if way == "voice.lean" else _("Recording that is edited")


class RecordingCard(QWidget):
    """Shows a RecordingSlot of the model; `record_asked` with the file for which a consent is to be recorded."""

    record_asked = Signal(Path)

    def __init__(self, role: Place, model: VoicesModel, ear: Ear) -> None:
        super().__init__()
        self._role, self._model = role, model
        self.slot = model.slots[role]
        title = recording_title(role, "voice.lean")
        name = f"voice_{role}"
        filters = _("Sounds (*.wav *.flac *.mp3 *.m4a *.ogg);;All files (*)")
        self.frame = DropFrame(f"{name}_drop", title, title, filters)
        self.frame.file_given.connect(self.slot.set_recording)
        arrow = QLabel()
        arrow.setPixmap(icons.pixmap("drop", "accent", 30))
        arrow.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint = label(_("Drop a recording here, or click to choose"), "muted")
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.frame.setLayout(column(1, arrow, hint, 1, margins=8))
        self.frame.setMinimumHeight(EMPTY_PX)
        self.panel = WavePanel(name, title, model.calls, ear, can_cut=True)
        self.panel.part_asked.connect(self.on_part_asked)
        self._title = label(title, "heading")
        self._line = label("", "strong")
        self._line.setObjectName(f"{name}_line")
        self._hint = label("", "muted")
        self._hint.setObjectName(f"{name}_hint")
        self._change = button(
            f"{name}_change", _("Change..."), "quiet", accessible_name=_("Change: {what}", what=title)
        )
        self._change.clicked.connect(self.frame.choose)
        self._remove = button(f"{name}_remove", _("Remove"), "quiet", accessible_name=_("Remove: {what}", what=title))
        self._remove.clicked.connect(lambda: self.slot.set_recording(None))
        self._consents = column(spacing=4)
        texts = column(self._line, self._hint, spacing=2)
        foot = row(texts, self._change, self._remove, spacing=2)
        foot.setStretch(0, 1)
        body = column(self._title, self.frame, self.panel, foot, holder(self._consents), 1, spacing=8)
        body.setContentsMargins(0, 0, 0, 0)
        self.setLayout(body)
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._shown: object = None
        self.on_changed()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A filled place takes another recording as well."""
        self.frame.dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Another recording."""
        self.frame.dropEvent(event)

    def on_part_asked(self, part: tuple[float, float] | None) -> None:
        """Use the selection alone, or all of it."""
        self.slot.set_part(*(part or (0.0, 0.0)))
        self.panel.view.select(None)

    def on_changed(self) -> None:
        """Show the slot as it is now."""
        slot = self.slot
        self._title.setText(recording_title(self._role, self._model.way))
        self.frame.setVisible(slot.heard is None)
        self.panel.setVisible(slot.heard is not None)
        self.panel.show_sound(slot.heard, (), slot.part)
        there = slot.path is not None
        self._change.setVisible(there)
        self._remove.setVisible(there)
        line, hint = slot.path.name if slot.path else "", ""
        match slot.state:
            case "empty":
                hint = _("WAV, FLAC, MP3, M4A or OGG, up to half an hour")
            case "reading":
                hint = _("Listening...")
            case "ready":
                hint = " ".join(f"{word(warning)[:1].upper()}{word(warning)[1:]}." for warning in slot.warnings)
            case "refused":
                assert slot.error is not None, "a refused recording carries its error"
                line, hint = advice(slot.error)
        self._line.setText(line)
        self._line.setVisible(bool(line))
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._show_consents()

    def _show_consents(self) -> None:
        slot, role = self.slot, self._role
        offers = self._model.offers(role)
        chosen = self._model.consents[role]
        wanted = (slot.state, slot.sha256, tuple((grant.id, grant.id in chosen) for grant in offers))
        if wanted == self._shown:
            return
        self._shown = wanted
        clear(self._consents)
        if slot.state != "ready":
            return
        if not any(grant.asset_sha256 == slot.sha256 for grant in offers):
            spoken = _("Record consent: {what}", what=recording_title(role, self._model.way))
            record = button(f"voice_{role}_record", _("Record consent..."), icon="plus", accessible_name=spoken)
            record.clicked.connect(lambda: self.record_asked.emit(slot.path))
            line = row(label(_("No live consent covers this very file.")), record)
            line.setStretch(0, 1)
            self._consents.addLayout(line)
        for grant in offers:
            name = grant.subject_name or grant.subject_id
            if grant.asset_sha256 == slot.sha256:
                text = _("Consent of {name}, until {date}", name=name, date=grant.valid_until)
            else:
                text = _("Consent of {name} to their voice, until {date}", name=name, date=grant.valid_until)
            # A box of this kind does not break its text, and names may be long.
            tick = named(QCheckBox(fill(text, WIDEST_LINE)), f"voice_{role}_consent_{grant.id}", text)
            tick.setChecked(grant.id in chosen)
            tick.setToolTip(purposes_text(grant.purposes))
            tick.toggled.connect(lambda on, grant_id=grant.id: self._model.set_consent(role, grant_id, on))
            self._consents.addWidget(tick)
