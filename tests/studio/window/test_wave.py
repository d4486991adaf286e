"""The picture of a sound: what it shows, and that mouse and keyboard do the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.window import theme
from studio.window.calls import Calls
from studio.window.widgets.wave_data import Heard, as_heard, peaks, spectrum, spectrum_image, wave_image
from studio.window.widgets.wave_panel import Ear, WavePanel
from studio.window.widgets.wave_view import WaveView, clock
from tests.studio.window.fake_voices import Loudspeaker

RATE_HZ = 16000
LIMIT_MS = 10_000


def tone(seconds: float = 4.0, hz: float = 2000.0) -> Heard:
    """Silence, then a tone in the second half."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    samples = np.where(time_s < seconds / 2, 0.0, 0.5 * np.sin(2 * np.pi * hz * time_s))
    return as_heard(samples, RATE_HZ, b"the file")


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[WaveView]:
    """A shown tone of four seconds, 400 px wide."""
    calls = Calls()
    made = WaveView("wave", "Wave", calls)
    qtbot.addWidget(made)
    made.resize(400, 118)
    made.show()
    qtbot.waitExposed(made)
    made.show_sound(tone())
    qtbot.waitUntil(lambda: not made.image.isNull() and calls.open_calls == 0, timeout=LIMIT_MS)
    yield made
    assert calls.finish()


def painted(view: WaveView, qtbot: QtBot) -> None:
    """Wait until the picture of the present view is there."""
    qtbot.waitUntil(lambda: view._calls.open_calls == 0, timeout=LIMIT_MS)


# --- what is shown ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 7, 400, 5000])
def test_every_column_shows_its_lowest_and_highest_sample(columns: int) -> None:
    """More columns than samples, and a view that goes beyond the end, as well."""
    samples = tone(0.1).samples
    found = peaks(samples, 0, len(samples), columns)
    assert found.shape == (columns, 2)
    assert found[:, 0].min() == pytest.approx(samples.min() / 32767)
    assert found[:, 1].max() == pytest.approx(samples.max() / 32767)
    beyond = peaks(samples, len(samples) - 100, len(samples) + 100, 10)
    assert np.all(beyond[5:] == 0)
    assert peaks(samples[:0], 0, 0, 5).tolist() == [[0.0, 0.0]] * 5


def test_the_spectrum_has_its_tone_where_it_sounds() -> None:
    """2000 Hz of 8000 lies a quarter above the bottom, in the second half."""
    heard = tone()
    values = spectrum(heard.samples, RATE_HZ, 0, len(heard.samples), 40, 81)
    assert values.shape == (81, 40)
    assert values[:, 5].max() == 0
    assert int(values[:, 30].argmax()) == pytest.approx(60, abs=1)
    assert spectrum(heard.samples[:10], RATE_HZ, 0, 10, 4, 8).shape == (8, 4)


def test_both_pictures_use_the_colours_of_the_theme() -> None:
    """Where nothing sounds the background is, where it sounds it is not."""
    heard = tone()
    for make in (wave_image, spectrum_image):
        image = make(heard, (0.0, 4.0), (80, 41), theme.DARK)
        assert (image.width(), image.height()) == (80, 41)
        assert image.pixelColor(10, 2) == QColor(theme.DARK.surface)
    assert wave_image(heard, (0.0, 4.0), (80, 41), theme.DARK).pixelColor(60, 20) == QColor(theme.DARK.accent)


def test_clock() -> None:
    """Minutes, seconds and tenths; rounding carries over."""
    assert [clock(one) for one in (0, 59.96, 61.25, 1799.9)] == ["0:00.0", "1:00.0", "1:01.2", "29:59.9"]


# --- mouse and keyboard ----------------------------------------------------------------------------------------------


def test_a_click_seeks_and_dragging_selects(view: WaveView, qtbot: QtBot) -> None:
    """A click outside takes the selection away; dragging backwards selects the same."""
    sought: list[float] = []
    view.sought.connect(sought.append)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(view, left, none, QPoint(100, 40))
    assert sought == [pytest.approx(1.0)] and view.selection is None
    qtbot.mousePress(view, left, none, QPoint(300, 40))
    qtbot.mouseMove(view, QPoint(200, 40))
    qtbot.mouseMove(view, QPoint(100, 40))
    qtbot.mouseRelease(view, left, none, QPoint(100, 40))
    assert view.selection == (pytest.approx(1.0), pytest.approx(3.0))
    assert len(sought) == 1
    qtbot.mouseClick(view, left, none, QPoint(200, 40))
    assert view.selection is not None
    qtbot.mouseClick(view, left, none, QPoint(380, 40))
    assert view.selection is None


def test_the_keyboard_moves_selects_zooms_and_scrolls(view: WaveView, qtbot: QtBot) -> None:
    """Everything that the mouse can do; what is selected is said to a screen reader."""
    key, shift, none = Qt.Key, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
    for _step in range(10):
        qtbot.keyClick(view, key.Key_Right)
    assert view.position_s == pytest.approx(1.0)
    for _step in range(10):
        qtbot.keyClick(view, key.Key_Right, shift)
    assert view.selection == (pytest.approx(1.0), pytest.approx(2.0))
    for _step in range(4):
        qtbot.keyClick(view, key.Key_Left, shift)
    assert view.selection == (pytest.approx(1.0), pytest.approx(1.6))
    assert view.accessibleDescription() == "At 0:01.6 of 0:04.0, selected from 0:01.0 to 0:01.6"
    qtbot.keyClick(view, key.Key_Escape, none)
    assert view.selection is None
    qtbot.keyClick(view, key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert view.selection == (0.0, 4.0)
    qtbot.keyClick(view, key.Key_Plus)
    start, end = view.view
    assert end - start == pytest.approx(2.5) and start < 1.6 < end
    qtbot.keyClick(view, key.Key_PageDown)
    assert view.view == (pytest.approx(1.5), pytest.approx(4.0))
    qtbot.keyClick(view, key.Key_Home)
    assert view.position_s == 0 and view.view[0] == 0
    qtbot.keyClick(view, key.Key_0)
    assert view.view == (0.0, 4.0)
    qtbot.keyClick(view, key.Key_End)
    assert view.position_s == 4.0
    painted(view, qtbot)


def wheel(view: WaveView, turn: int, keys: Qt.KeyboardModifier) -> QWheelEvent:
    """One step of the wheel at the middle."""
    place = QPointF(200, 40)
    made = QWheelEvent(
        place, place, QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(view, made)
    return made


def test_the_wheel_zooms_with_ctrl_scrolls_with_shift_and_is_the_pages_otherwise(view: WaveView, qtbot: QtBot) -> None:
    """The moment under the pointer stays where it is."""
    assert not wheel(view, 120, Qt.KeyboardModifier.NoModifier).isAccepted()
    assert wheel(view, 120, Qt.KeyboardModifier.ControlModifier).isAccepted()
    assert view.view == (pytest.approx(0.75), pytest.approx(3.25))
    wheel(view, -120, Qt.KeyboardModifier.ShiftModifier)
    assert view.view == (pytest.approx(1.0), pytest.approx(3.5))
    for _turn in range(40):
        wheel(view, 120, Qt.KeyboardModifier.ControlModifier)
    assert view.view[1] - view.view[0] == pytest.approx(0.05)
    painted(view, qtbot)


def test_the_line_where_it_is_heard_stays_in_sight(view: WaveView, qtbot: QtBot) -> None:
    """A zoomed view follows."""
    view.zoom(0.25, 0.0)
    view.set_position(3.0)
    assert view.view[0] <= 3.0 <= view.view[1]
    painted(view, qtbot)


def test_another_kind_of_picture_is_painted_beside_the_window(view: WaveView, qtbot: QtBot) -> None:
    """Nothing is computed in the window's thread: the old picture stays until the new one is there."""
    before = view.image.copy()
    view.set_spectrum(True)
    assert view.image == before
    painted(view, qtbot)
    assert view.image != before


# --- the panel -------------------------------------------------------------------------------------------------------


def test_a_selection_is_played_to_its_end_and_two_panels_share_one_loudspeaker(qtbot: QtBot) -> None:
    """Whoever plays last is heard; at the end it can be played again from the beginning."""
    calls, ear, speaker = Calls(), Ear(), Loudspeaker()
    ear.make_player = lambda: speaker
    speaker.play = lambda _data, from_s: speaker.played.append((0.0, round(from_s, 2)))  # type: ignore[method-assign]
    panels = [WavePanel(name, name, calls, ear, can_cut=True) for name in ("a", "b")]
    for panel in panels:
        qtbot.addWidget(panel)
        panel.show()
        panel.show_sound(tone())
    first, second = panels
    first.view.select((1.0, 2.0))
    first.play.click()
    assert speaker.played == [(0.0, 1.0)] and first.is_playing
    speaker.moved.emit(2.01)
    assert not first.is_playing and speaker.pauses == 1
    second.play.click()
    first.play.click()
    assert first.is_playing and not second.is_playing
    asked: list[object] = []
    first.part_asked.connect(asked.append)
    first._cut.click()
    assert asked == [(1.0, 2.0)]
    first.view.select(None)
    assert not first._cut.isEnabled()
    speaker.ended.emit("")
    assert not first.is_playing and first.view.position_s == 0
    qtbot.waitUntil(lambda: calls.open_calls == 0, timeout=LIMIT_MS)
    assert calls.finish()
