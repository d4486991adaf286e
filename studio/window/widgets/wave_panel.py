"""A sound with its buttons: play, zoom, waveform or spectrogram, and the part that is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QPushButton, QScrollBar, QSizePolicy, QWidget

from studio.text import _
from studio.window.calls import Calls
from studio.window.widgets.basic import button, column, label, named, row
from studio.window.widgets.wave_player import SoundPlayer, SoundPlaying
from studio.window.widgets.wave_view import WaveView, clock

if TYPE_CHECKING:
    from studio.window.widgets.wave_data import Heard

_BAR_STEPS = 10_000


class Ear(QObject):
    """The one loudspeaker of a page: whoever plays last is heard. `told` with the reason when nothing can be."""

    told = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.make_player: Callable[[], SoundPlaying] = SoundPlayer
        self._player: SoundPlaying | None = None
        self._heard: WavePanel | None = None

    def play(self, panel: WavePanel, data: bytes, from_s: float) -> None:
        """Let one panel be heard."""
        if self._player is None:
            try:
                self._player = self.make_player()
            except ImportError:
                self.told.emit(_("The part of Qt that plays sound (QtMultimedia) is not installed."))
                return
            self._player.moved.connect(self.on_moved)
            self._player.ended.connect(self.on_ended)
        if self._heard is not None and self._heard is not panel:
            self._heard.set_playing(False)
        self._heard = panel
        panel.set_playing(True)
        self._player.play(data, from_s)

    def pause(self, panel: WavePanel | None = None) -> None:
        """Be silent; panel: only if that one is heard."""
        if self._heard is None or self._player is None or panel not in (None, self._heard):
            return
        heard, self._heard = self._heard, None
        self._player.pause()
        heard.set_playing(False)

    def on_moved(self, second: float) -> None:
        """The line moves on; a selection is heard to its end."""
        panel = self._heard
        if panel is None:
            return
        panel.view.set_position(second)
        if panel.stop_s is not None and second >= panel.stop_s:
            self.pause()

    def on_ended(self, reason: str) -> None:
        """Offer to play it again, or say why it cannot be played."""
        if self._heard is not None:
            panel, self._heard = self._heard, None
            panel.set_playing(False)
            if not reason:
                panel.view.set_position(0.0)
        if reason:
            self.told.emit(reason)


class WavePanel(QWidget):
    """`part_asked` with (start, end) of the selection that shall be used alone, or None for all of it."""

    part_asked = Signal(object)
    moved = Signal(float)

    def __init__(self, name: str, title: str, calls: Calls, ear: Ear, can_cut: bool = False) -> None:
        super().__init__()
        self._ear, self._can_cut = ear, can_cut
        self.stop_s: float | None = None
        self._part: tuple[float, float] = (0.0, 0.0)
        self.view = WaveView(f"{name}_wave", title, calls)
        self.view.sought.connect(self.on_sought)
        self.view.selected.connect(lambda _selection: self._show())
        self.view.view_changed.connect(self.on_view_changed)
        self.view.play_asked.connect(self.on_play)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._bar = named(QScrollBar(Qt.Orientation.Horizontal), f"{name}_bar", _("Scroll: {what}", what=title))
        self._bar.valueChanged.connect(self.on_bar)

        def small(key: str, text: str, icon: str, spoken: str) -> QPushButton:
            made = button(f"{name}_{key}", text, "quiet", icon, accessible_name=f"{spoken}: {title}")
            made.setToolTip(spoken)
            return made

        self._title = title
        self.play = button(f"{name}_play", _("Play"), icon="play", accessible_name=_("Play: {what}", what=title))
        self.play.clicked.connect(self.on_play)
        self._closer = small("closer", "+", "", _("Closer"))
        self._closer.clicked.connect(lambda: self.view.zoom(1 / 1.6))
        self._farther = small("farther", "-", "", _("Farther"))
        self._farther.clicked.connect(lambda: self.view.zoom(1.6))
        self._whole = small("whole", _("All"), "", _("Show all of it"))
        self._whole.clicked.connect(lambda: self.view.zoom(0))
        self._kind = small("kind", _("Spectrum"), "", _("Show the frequencies"))
        self._kind.setCheckable(True)
        self._kind.toggled.connect(self.view.set_spectrum)
        self._cut = small("cut", _("Use selection"), "", _("Use only the selected part"))
        self._cut.clicked.connect(lambda: self.part_asked.emit(self.view.selection))
        self._uncut = small("uncut", _("Use all"), "", _("Use the whole recording"))
        self._uncut.clicked.connect(lambda: self.part_asked.emit(None))
        self._where = label("", "small", wrap=False)
        self._where.setObjectName(f"{name}_where")
        tools = row(self.play, self._closer, self._farther, self._whole, self._kind, 1, spacing=2)
        lower = row(self._where, 1, self._cut, self._uncut, spacing=4)
        body = column(self.view, self._bar, tools, lower, spacing=4)
        body.setContentsMargins(0, 0, 0, 0)
        body.setStretch(0, 1)
        self.setLayout(body)
        self.on_view_changed()

    def show_sound(
        self,
        heard: Heard | None,
        marks: Sequence[tuple[float, float, str]] = (),
        part: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Show a sound; part: what is used of it, (0, 0) for all."""
        if heard is not self.view.heard:
            self._ear.pause(self)
        self._part = part
        unused = [] if part == (0.0, 0.0) or heard is None else [(0.0, part[0]), (part[1], heard.seconds)]
        named_parts = [*marks, *((start, end, _("left out")) for start, end in unused if end > start)]
        self.view.show_sound(heard, named_parts)
        self._show()

    def start(self, from_s: float | None = None) -> None:
        """Play from a moment, or from where the line is; a selection is played alone."""
        heard = self.view.heard
        if heard is None:
            return
        begins = self.view.position_s if from_s is None else from_s
        self.stop_s = None
        if self.view.selection is not None and from_s is None:
            low, high = self.view.selection
            begins, self.stop_s = (begins if low <= begins < high - 0.01 else low), high
        elif begins >= heard.seconds - 0.02:
            begins = 0.0
        self.view.set_position(begins)
        self._ear.play(self, heard.data, begins)

    @property
    def is_playing(self) -> bool:
        """Whether it is heard now."""
        return bool(self.property("playing"))

    def set_playing(self, on: bool) -> None:
        """The button says what it does next."""
        self.setProperty("playing", on)
        self.play.setText(_("Pause") if on else _("Play"))
        spoken = _("Pause: {what}", what=self._title) if on else _("Play: {what}", what=self._title)
        self.play.setAccessibleName(spoken)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing goes on sounding from a page that is left."""
        self._ear.pause(self)
        super().hideEvent(event)

    def on_play(self) -> None:
        """Play, or pause."""
        if self.is_playing:
            self._ear.pause(self)
        else:
            self.start()

    def on_sought(self, second: float) -> None:
        """Go on from there."""
        self._show()
        self.moved.emit(second)
        if self.is_playing:
            self.start(second)

    def on_view_changed(self) -> None:
        """The scroll bar shows which stretch is in sight."""
        start, end = self.view.view
        span = max(end - start, 1e-9)
        whole = max(self.view.seconds, 1e-9)
        self._bar.blockSignals(True)
        self._bar.setRange(0, round((1 - min(1.0, span / whole)) * _BAR_STEPS))
        self._bar.setPageStep(max(1, round(span / whole * _BAR_STEPS)))
        self._bar.setSingleStep(max(1, round(span / whole * _BAR_STEPS / 10)))
        self._bar.setValue(round(start / whole * _BAR_STEPS))
        self._bar.blockSignals(False)
        self._show()

    def on_bar(self, value: int) -> None:
        """Scroll."""
        self.view.scroll_to(value / _BAR_STEPS * self.view.seconds)

    def _show(self) -> None:
        there = self.view.heard is not None
        for one in (self.play, self._closer, self._farther, self._whole, self._kind, self._bar):
            one.setEnabled(there)
        selection = self.view.selection
        self._cut.setVisible(self._can_cut)
        self._cut.setEnabled(there and selection is not None)
        self._uncut.setVisible(self._can_cut and self._part != (0.0, 0.0))
        text = clock(self.view.seconds) if there else ""
        if selection is not None:
            text = _("Selected: {start} - {end}", start=clock(selection[0]), end=clock(selection[1]))
        elif self._part != (0.0, 0.0):
            text = _("In use: {start} - {end}", start=clock(self._part[0]), end=clock(self._part[1]))
        self._where.setText(text)
