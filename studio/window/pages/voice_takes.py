"""The takes of a row: what each sounds like with its label, beside the recording it was made from, and its release."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from studio.text import _, word
from studio.window.models.voice_takes import Take
from studio.window.models.voices import VoicesModel
from studio.window.widgets.basic import button, card, column, empty_state, holder, label, named, row
from studio.window.widgets.wave_panel import Ear, WavePanel
from studio.window.widgets.wave_view import clock


class TakesPart(QWidget):
    """`release_asked` with a take; `folder_asked` with a released one."""

    release_asked = Signal(object)
    folder_asked = Signal(object)

    def __init__(self, model: VoicesModel, ear: Ear) -> None:
        super().__init__()
        self._model = model
        state = empty_state("voice", _("No take yet"), _("Speak a text or change a recording; then it is heard here."))
        self._nothing = holder(column(state, 1))
        self._list = named(QListWidget(), "voice_takes_list", _("Takes"))
        self._list.setMaximumWidth(190)
        self._list.currentItemChanged.connect(self.on_item)
        self._input = WavePanel("voice_input", _("Recording (A)"), model.calls, ear)
        self._result = WavePanel("voice_result", _("Result with its label (B)"), model.calls, ear)
        self._input.moved.connect(lambda second: self._follow(self._result, second, True))
        self._result.moved.connect(lambda second: self._follow(self._input, second, False))
        self.other = button("voice_compare", _("Compare A/B"), icon="play", accessible_name=_("Compare A and B"))
        self.other.setToolTip(_("Go on at the same place in the other one (Ctrl+B)"))
        self.other.clicked.connect(self.on_compare)
        keys = QShortcut(QKeySequence("Ctrl+B"), self)
        keys.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self.on_compare)
        self._facts = label("", "muted")
        self._facts.setObjectName("voice_facts")
        self._release = button("voice_release", _("Release..."), "primary", "release")
        self._release.clicked.connect(lambda: self.release_asked.emit(self._model.take))
        self._open = button("voice_open_folder", _("Open folder"), icon="folder")
        self._open.clicked.connect(lambda: self.folder_asked.emit(self._model.take))
        self._discard = button("voice_discard", _("Discard"))
        self._discard.clicked.connect(lambda: self._model.discard(self._model.chosen))
        self._input_part = holder(column(label(_("Recording (A)"), "strong"), self._input, spacing=4))
        note = label(_("A result is only ever heard with its label; where it is spoken is marked."), "small")
        sounds = column(
            self._input_part,
            row(label(_("Result with its label (B)"), "strong", wrap=False), 1, self.other),
            self._result,
            note,
            spacing=6,
        )
        sounds.setStretch(0, 1)
        sounds.setStretch(2, 1)
        foot = row(self._facts, self._discard, self._open, self._release)
        foot.setStretch(0, 1)
        both = row(self._list, holder(sounds), spacing=14)
        both.setStretch(1, 1)
        body = column(both, foot, spacing=12)
        body.setStretch(0, 1)
        self._there = card(body, 16)
        whole = column(self._nothing, self._there)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setStretch(1, 1)
        self.setLayout(whole)
        self.on_changed()

    @property
    def has_input(self) -> bool:
        """Whether the take was made from a recording."""
        take = self._model.take
        return take is not None and take.recording is not None

    def on_changed(self) -> None:
        """Show the takes as they are now."""
        model, take = self._model, self._model.take
        self._nothing.setVisible(take is None)
        self._there.setVisible(take is not None)
        self._fill()
        if take is None:
            self._input.show_sound(None)
            self._result.show_sound(None)
            return
        marks = _marks(take)
        self._input_part.setVisible(self.has_input)
        self.other.setVisible(self.has_input)
        self._input.show_sound(take.recording, (), take.part)
        self._result.show_sound(take.heard, marks)
        told = [_("{length}, {origin}", length=clock(take.heard.seconds), origin=_origin(take))]
        told += [f"{word(warning)[:1].upper()}{word(warning)[1:]}" for warning in take.info.warnings]
        self._facts.setText(_("Released: {path}", path=take.released.path) if take.released else "\n".join(told))
        self._release.setVisible(take.released is None)
        self._release.setEnabled(not model.is_active)
        self._open.setVisible(take.released is not None)
        self._discard.setText(_("Close") if take.released else _("Discard"))
        self._discard.setEnabled(not model.is_active)

    def _fill(self) -> None:
        self._list.blockSignals(True)
        texts = [
            _("Take {number}, released", number=take.number)
            if take.released
            else _("Take {number}", number=take.number)
            for take in self._model.takes
        ]
        if [self._list.item(place).text() for place in range(self._list.count())] != texts:
            self._list.clear()
            for take, text in zip(self._model.takes, texts, strict=True):
                item = QListWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, take.number)
                self._list.addItem(item)
        for place, take in enumerate(self._model.takes):
            if take.number == self._model.chosen:
                self._list.setCurrentRow(place)
        self._list.blockSignals(False)

    def focus_first(self) -> None:
        """The keyboard goes to the result: Space plays it."""
        self._result.view.setFocus()

    def on_item(self, item: QListWidgetItem | None) -> None:
        """Another take."""
        if item is not None:
            self._model.choose(item.data(Qt.ItemDataRole.UserRole))

    def _follow(self, panel: WavePanel, second: float, into_result: bool) -> None:
        take = self._model.take
        if take is not None and panel.view.heard is not None:
            aligned = take.alignment.to_result(second) if into_result else take.alignment.to_input(second)
            panel.view.set_position(aligned)

    def on_compare(self) -> None:
        """Go on at the same place in the other one; from the result when nothing is heard."""
        take = self._model.take
        if take is None or not self.has_input:
            return
        if self._result.is_playing:
            self._input.start(take.alignment.to_input(self._result.view.position_s))
        elif self._input.is_playing:
            self._result.start(take.alignment.to_result(self._input.view.position_s))
        else:
            self._result.start()


def _origin(take: Take) -> str:
    if take.info.faces_edited:
        return _("changed voice")
    return _("in the voice of a recording") if take.info.origin.startswith("composite") else _("spoken by a machine")


def _marks(take: Take) -> list[tuple[float, float, str]]:
    """Where the labels lie in the result."""
    found, before = [], 0
    for place, length in take.alignment.labels:
        start = (place + before) / 1000
        found.append((start, start + length / 1000, _("label")))
        before += length
    return found
