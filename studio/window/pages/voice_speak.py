"""Speech from words: the text or script, who speaks, how, and how often."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QWidget

from compliance.errors import SignetError
from studio.text import _, word
from studio.window.advice import advice
from studio.window.models.voices import MOST_TAKES, VoicesModel
from studio.window.pages.voice_cast import CastTable
from studio.window.pages.voice_options import OptionSliders
from studio.window.pages.voice_person import VoicePerson
from studio.window.widgets.basic import button, card, chip, column, holder, label, named, number_field, row
from studio.window.widgets.wave_panel import Ear
from studio.window.words import PURPOSES, licence_word, purpose_word

if TYPE_CHECKING:
    from studio.voices import VoiceView

LARGEST_SEED = 2_000_000_000
# Heights of the field for the words.
LEAST_PX, CROWDED_PX, FREE_PX = 150, 96, 16_000


def voice_name(voice: VoiceView) -> str:
    """A built-in voice by its honest name; names of libraries stay as they are."""
    return {
        "formant": _("formant voice"),
        "formant-high": _("formant voice, high"),
        "formant-deep": _("formant voice, deep"),
        "formant-clear": _("formant voice, Klatt"),
    }.get(voice.id, voice.name)


class SpeakPart(QWidget):
    """The form of speech; what is wrong with the words stands under them while they are typed.

    `record_asked` with the file for which a consent is to be recorded.
    """

    record_asked = Signal(Path)

    def __init__(self, model: VoicesModel, ear: Ear) -> None:
        super().__init__()
        from engines.voice.stock import Stock

        self._model = model
        self._listed: object = None
        self._form = named(QComboBox(), "voice_form", _("Text or script"))
        self._form.addItem(_("Text"), "text")
        self._form.addItem(_("Script (NAME: words)"), "script")
        self._form.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._form.setMinimumContentsLength(10)
        self._form.currentIndexChanged.connect(self.on_words)
        self.words = named(QPlainTextEdit(), "voice_text", _("What is said"))
        self.words.setTabChangesFocus(True)
        self.words.setMinimumSize(200, LEAST_PX)
        self.words.setPlaceholderText(_("What is said"))
        self.words.textChanged.connect(self.on_words)
        self._count = label("", "muted")
        self._count.setObjectName("voice_count")
        self.cast = CastTable()
        self._cast_head = label(_("Who speaks for whom"), "strong")
        self._voice = named(QComboBox(), "voice_voice", _("Who speaks"))
        self._voice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._voice.setMinimumContentsLength(12)
        self._voice.currentIndexChanged.connect(self.on_voice)
        self._about = label("", "muted")
        self._about.setObjectName("voice_about")
        self._licence = chip("", "plain")
        self._own = named(QLineEdit(), "voice_pack_voice", _("Voice of the pack"))
        self._own.setPlaceholderText(_("Voice of the pack; its first one if left out"))
        self._language = named(QComboBox(), "voice_language", _("Language"))
        for code, text in (
            ("auto", _("found by the letters")),
            ("zh", _("Chinese")),
            ("en", _("English")),
            ("", _("another one")),
        ):
            self._language.addItem(text, code)
        self._language.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._language.setMinimumContentsLength(6)
        self._language.currentIndexChanged.connect(self.on_words)
        self._code = named(QLineEdit(), "voice_language_code", _("Code of the language"))
        self._code.setPlaceholderText(_("Code, such as fr"))
        self._code.setMaxLength(12)
        self._code.setMinimumWidth(60)
        self._code.textEdited.connect(self.on_words)
        self.sliders = OptionSliders("voice_speak", [one for one in Stock.options if one.name in ("rate", "pitch")])
        self._takes = number_field("voice_takes", _("How many takes"), 1, MOST_TAKES)
        self._seed = number_field("voice_seed", _("Seed"), 0, LARGEST_SEED)
        self._seed.setToolTip(_("0 speaks plainly; other numbers vary pace and pitch a little."))
        self._purpose = named(QComboBox(), "voice_speak_purpose", _("Purpose"))
        for purpose in PURPOSES:
            self._purpose.addItem(purpose_word(purpose), purpose)
        self._purpose.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._purpose.setMinimumContentsLength(5)
        self._seed.setMaximumWidth(104)
        self._purpose.setCurrentIndex(max(0, self._purpose.findData(model.purpose)))
        self._purpose.currentIndexChanged.connect(lambda _index: model.set_purpose(self._purpose.currentData()))
        self.person = VoicePerson(model, ear)
        self.person.record_asked.connect(self.record_asked)
        self._why = label("", "muted")
        self._why.setObjectName("voice_speak_why")
        self.make = button("voice_speak_make", _("Make"), "primary", "make")
        self.make.clicked.connect(self.on_make)
        self.setLayout(self._laid_out())
        self.on_changed()

    def _laid_out(self) -> Any:
        left = column(
            row(label(_("What is said"), "heading", wrap=False), 0, self._form),
            self.words,
            self._count,
            self._cast_head,
            self.cast,
            self.person,
            spacing=8,
        )
        left.setStretch(1, 1)
        left.itemAt(0).layout().setStretch(2, 1)
        right = column(
            label(_("Who speaks"), "strong"),
            self._voice,
            row(self._licence, 1),
            self._about,
            self._own,
            label(_("Language of words in Latin letters"), "strong"),
            row(self._language, self._code),
            self.sliders,
            row(
                column(label(_("How many"), "strong"), self._takes, spacing=4),
                column(label(_("Seed"), "strong"), self._seed, spacing=4),
                1,
            ),
            label(_("Purpose"), "strong"),
            self._purpose,
            1,
            spacing=6,
        )
        both = row(card(left, 12), card(right, 12), spacing=14)
        both.setStretch(0, 1)
        both.setStretch(1, 1)
        foot = row(self.person.more.toggle, self._why, self.make, spacing=16)
        foot.setStretch(1, 1)
        body = column(holder(both), self.person.more, foot, spacing=14)
        body.setContentsMargins(0, 0, 0, 0)
        body.setStretch(0, 1)
        return body

    @property
    def pack_id(self) -> str:
        """The pack of the chosen voice; "" for a built-in one."""
        data = str(self._voice.currentData() or "")
        return data.removeprefix("pack:") if data.startswith("pack:") else ""

    def on_changed(self) -> None:
        """List the voices once they are known; nothing is started while something runs."""
        model = self._model
        wanted = (tuple(model.stock), tuple(pack.id for pack in model.packs), model.is_listed)
        if wanted != self._listed:
            self._listed = wanted
            self._list_voices()
        index = self._purpose.findData(model.purpose)
        if index != self._purpose.currentIndex():
            self._purpose.setCurrentIndex(index)
        self.on_voice()

    def _list_voices(self) -> None:
        before = self._voice.currentData()
        self._voice.blockSignals(True)
        self._voice.clear()
        self._voice.addItem(_("by the language") if self._model.is_listed else _("Looking for voices..."), "auto")
        rows = self._voice.model()
        for one in self._model.stock:
            name = voice_name(one)
            self._voice.addItem(name if one.is_here else _("{name} (not installed)", name=name), one.id)
            if not one.is_here and isinstance(rows, QStandardItemModel):
                rows.item(self._voice.count() - 1).setEnabled(False)
        for pack in self._model.packs:
            self._voice.addItem(_("{name} (model pack)", name=pack.title), f"pack:{pack.id}")
        self._voice.setCurrentIndex(max(0, self._voice.findData(before)))
        self._voice.blockSignals(False)

    def on_voice(self) -> None:
        """Say honestly what speaks."""
        chosen = self._voice.currentData()
        pack = next((one for one in self._model.packs if one.id == self.pack_id), None)
        stock = next((one for one in self._model.stock if one.id == chosen), None)
        if pack is not None:
            text, kind = licence_word(pack.licence_class.value)
            self._licence.setText(text)
            self._licence.setProperty("chip", kind)
            self._licence.style().unpolish(self._licence)
            self._licence.style().polish(self._licence)
            self._about.setText(
                _("A neural voice of the pack {pack}, licence {licence}.", pack=pack.id, licence=pack.licence)
            )
        elif stock is not None:
            self._about.setText(word(stock.sentence))
        else:
            self._about.setText(_("English by flite, everything else by the formant voice; neither is a neural model."))
        self.person.show_pack(self.pack_id)
        self._licence.setVisible(pack is not None)
        self.sliders.set_usable("pitch", pack is None)
        # With a recording below them the words are given less room, so that the button stays in sight.
        is_crowded = self.person.is_filled and self.pack_id in self._model.clones
        self.words.setMaximumHeight(CROWDED_PX if is_crowded else FREE_PX)
        self.words.setMinimumHeight(CROWDED_PX if is_crowded else LEAST_PX)
        self._own.setVisible(pack is not None and not self._model.takes_on(self.pack_id))
        self.on_words()

    def language_code(self) -> str:
        """The language asked for, "auto" where it is found out."""
        return str(self._language.currentData() or self._code.text().strip().lower() or "auto")

    def options(self) -> dict[str, Any]:
        """What the engine is asked for."""
        form, pack = self._form.currentData(), self.pack_id
        # All of a text is said in the one voice that is taken on.
        takes_on = self._model.takes_on(pack)
        cast = self.cast.chosen() if form == "script" and not takes_on else {}
        sliders = self.sliders.values()
        found: dict[str, Any] = {
            "text": self.words.toPlainText(),
            "form": form,
            "language": self.language_code(),
            "voice": "" if takes_on else self._own.text().strip() if pack else str(self._voice.currentData() or "auto"),
            "voices": ", ".join(f"{name}={voice}" for name, voice in cast.items()),
            "rate": sliders["rate"],
        }
        if pack:
            found["pack"] = pack
        # A pack of neural voices has no pitch to set.
        if not pack:
            found["pitch"] = sliders["pitch"]
        return found

    def on_words(self) -> None:
        """Count, and say what is wrong with the words before anything starts."""
        from engines.voice.script import read_script
        from engines.voice.text import LONGEST_TEXT

        text, is_script = self.words.toPlainText(), self._form.currentData() == "script"
        told = _("{count} of {limit} characters", count=len(text), limit=LONGEST_TEXT)
        problem, speakers = "", []
        if len(text) > LONGEST_TEXT:
            problem = _("That is too long for one sound: split it.")
        elif is_script and text.strip():
            try:
                speakers = list(dict.fromkeys(speech.speaker for speech in read_script(text)))
            except SignetError as error:
                problem = advice(error)[0]
        self._count.setText(f"{told}. {problem}" if problem else told)
        is_cast = is_script and bool(speakers) and not self._model.takes_on(self.pack_id)
        self._cast_head.setVisible(is_cast)
        self.cast.setVisible(is_cast)
        if is_script and speakers:
            known = [(one.id, voice_name(one)) for one in self._model.stock if one.is_here]
            self.cast.show_speakers(speakers, None if self.pack_id else known)
        self._code.setVisible(self._language.currentData() == "")
        self._why.setText(self.person.sentence(self.pack_id))
        is_lacking = bool(self.person.lack(self.pack_id))
        self.make.setEnabled(bool(text.strip()) and not problem and not is_lacking and not self._model.is_active)

    def on_make(self) -> None:
        """Ask for the work."""
        if self.make.isEnabled():
            self._model.speak(self.options(), self._seed.value(), self._takes.value())

    def focus_first(self) -> None:
        """Ready to type."""
        self.words.setFocus(Qt.FocusReason.OtherFocusReason)
