"""Pictures: from words by the sketch painter or a model, from a picture, inside a mask; clearer and restored ones."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from studio.text import _
from studio.window.models.picturing import MOST_TAKES, SEEDS
from studio.window.models.studio import Studio
from studio.window.pages.page import Page
from studio.window.pages.presets_dialog import PresetsDialog
from studio.window.widgets.basic import button, card, chip, clear, column, holder, label, named, number_field, row
from studio.window.widgets.mask_canvas import MaskTools
from studio.window.widgets.option_panel import OptionPanel
from studio.window.widgets.picture_card import PictureCard
from studio.window.widgets.takes import TakesView
from studio.window.words import PURPOSES, engine_word, licence_word, purpose_word, purposes_text

ASKED_PX = 310
"""Options with fields of their own; all others stand in the panel."""
OWN_FIELDS = ("prompt", "negative", "width", "height")
SIDE_STEP = 8


class PicturesPage(Page):
    """What is asked for on the left; the picture that is worked on and the results on the right.

    `record_asked` carries the picture for which a consent is to be recorded.
    """

    name = "pictures"
    record_asked = Signal(Path)

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio, _("Pictures"), _("Made on this computer from your words; every result carries the label.")
        )
        self._model = studio.picturing
        self._shown_offers: object = None
        self._shown_engine = ""
        self._shown_grants: object = None
        asked = self._build_asked()
        asked.setFixedWidth(ASKED_PX)
        right = column(self._build_input(), self._build_results(), spacing=16)
        right.setStretch(1, 1)
        both = row(asked, holder(right), spacing=16)
        both.setStretch(1, 1)
        both.setAlignment(asked, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(both, 1)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.on_make)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._model.line.cancel)
        self._model.changed.connect(self.on_changed)
        self._model.asked_changed.connect(self.on_asked_changed)
        self._model.failed.connect(self.on_failed)
        self.on_asked_changed()
        self.on_changed()

    # --- what is asked for ------------------------------------------------------------------------------------------

    def _build_asked(self) -> QFrame:
        self._engine = named(QComboBox(), "pictures_engine", _("Made by"))
        self._engine.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._engine.activated.connect(lambda _index: self._model.choose(self._engine.currentData()))
        self._licence = chip("", "plain")
        self._about = label("", "small")
        self._words = holder(self._build_words())
        self._panel = OptionPanel("pictures", self._model.value, self._model.set_value)
        self._purpose = named(QComboBox(), "pictures_purpose", _("Purpose"))
        for purpose in PURPOSES:
            self._purpose.addItem(purpose_word(purpose), purpose)
        self._purpose.setCurrentIndex(max(0, self._purpose.findData(self._model.purpose)))
        self._purpose.currentIndexChanged.connect(self.on_purpose)
        self._presets = button("pictures_presets", _("Presets..."))
        self._presets.clicked.connect(self.on_presets)
        self._make = button("pictures_make", _("Make"), "primary", "make")
        self._make.setToolTip(_("Ctrl+Enter makes as well"))
        self._make.clicked.connect(self.on_make)
        self._why = label("", "muted")
        # Above everything that scrolls, so that it is always in reach.
        self.head_actions.addWidget(self._presets)
        self.head_actions.addWidget(self._make)
        body = column(
            self._why,
            column(label(_("Made by"), "strong"), self._engine, row(self._licence, 1), self._about, spacing=4),
            self._words,
            self._panel,
            column(label(_("Purpose"), "strong"), self._purpose, spacing=4),
            spacing=14,
        )
        return card(body, 16)

    def _build_words(self) -> QVBoxLayout:
        self._prompt = named(QPlainTextEdit(), "pictures_prompt", _("What the picture shows"))
        self._prompt.setPlaceholderText(_("A red sunset over snowy mountains and a lake"))
        self._prompt.setTabChangesFocus(True)
        self._prompt.setFixedHeight(96)
        self._prompt.textChanged.connect(lambda: self._write("prompt", self._prompt.toPlainText()))
        self._negative = named(QLineEdit(), "pictures_negative", _("What it does not show"))
        self._negative.setPlaceholderText(_("What it does not show"))
        self._negative.textChanged.connect(lambda text: self._write("negative", text))
        self._sides = {
            name: number_field(f"pictures_{name}", title, 96, 2048)
            for name, title in (("width", _("Width in pixels")), ("height", _("Height in pixels")))
        }
        for name, field in self._sides.items():
            field.setSingleStep(SIDE_STEP)
            field.valueChanged.connect(lambda value, name=name: self._write(name, value))
            field.editingFinished.connect(lambda name=name: self._round(name))
        self._seed = named(QLineEdit(), "pictures_seed", _("Seed"))
        self._seed.setToolTip(_("The same seed and options make the same picture."))
        self._seed.editingFinished.connect(self.on_seed)
        dice = button("pictures_dice", _("Dice"), accessible_name=_("Another seed by chance"))
        dice.clicked.connect(self._model.roll)
        self._keeps = named(QCheckBox(_("keep this seed")), "pictures_keep_seed", _("Keep this seed"))
        self._keeps.toggled.connect(self.on_keep)
        self._count = number_field("pictures_count", _("How many pictures"), 1, MOST_TAKES)
        self._count.valueChanged.connect(self.on_count)
        seed_line = row(self._seed, dice, spacing=6)
        seed_line.setStretch(0, 1)
        size_line = row(self._sides["width"], label("×", wrap=False), self._sides["height"], spacing=6)
        size_line.setStretch(0, 1)
        size_line.setStretch(2, 1)
        return column(
            column(label(_("What the picture shows"), "strong"), self._prompt, spacing=4),
            self._negative,
            column(label(_("Size in pixels"), "strong"), size_line, spacing=4),
            column(label(_("Seed"), "strong"), seed_line, self._keeps, spacing=4),
            column(label(_("How many"), "strong"), self._count, spacing=4),
        )

    def _write(self, name: str, value: object) -> None:
        if self._model.value(name) != value:
            self._model.set_value(name, value)

    def _round(self, name: str) -> None:
        """Models take sides that are multiples of 8."""
        field = self._sides[name]
        field.setValue(max(96, round(field.value() / SIDE_STEP) * SIDE_STEP))

    # --- the picture that is worked on ------------------------------------------------------------------------------

    def _build_input(self) -> QFrame:
        self._card = PictureCard("pictures_input", _("Picture that is worked on"), self._model.slot, removable=True)
        self._card.picture_given.connect(self._model.set_picture)
        self._card.removed.connect(lambda: self._model.set_picture(None))
        self._paint = named(QCheckBox(_("Paint a mask")), "pictures_paint", _("Paint a mask on the picture"))
        self._paint.toggled.connect(lambda _on: self.on_changed())
        self._find = button("pictures_find", _("Find scratches"), accessible_name=_("Find scratches and dust"))
        self._find.clicked.connect(self._model.find_damage)
        self.tools = MaskTools(self._model.mask)
        self._consents = column(spacing=6)
        self._input_title = label("", "heading")
        body = column(
            self._input_title,
            self._card,
            row(self._paint, self._find, 1),
            self.tools,
            holder(self._consents),
            spacing=10,
        )
        self._input = card(body, 16)
        return self._input

    def _build_results(self) -> QWidget:
        self.takes = TakesView(self._model)
        self.takes.release_asked.connect(self.on_release)
        return self.takes

    # --- showing ----------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Packs may have come or gone."""
        if self.studio.accounts.is_open:
            self._model.refresh()

    def focus_first(self) -> None:
        """The words first."""
        focused = self.window().focusWidget()
        if focused is None or not self.isAncestorOf(focused):
            (self._prompt if self._words.isVisible() else self._make).setFocus()

    def on_asked_changed(self) -> None:
        """Fill the fields anew: another engine, a preset, a recipe, another seed."""
        model, offer = self._model, self._model.offer
        keys = [one.key for one in model.offers]
        if self._shown_offers != keys:
            self._shown_offers = keys
            self._engine.clear()
            for one in model.offers:
                self._engine.addItem(one.title or engine_word(one.engine), one.key)
        if offer is None:
            return
        self._engine.setCurrentIndex(max(0, self._engine.findData(offer.key)))
        self._words.setVisible(offer.takes_words)
        if self._prompt.toPlainText() != str(model.value("prompt")):
            self._prompt.setPlainText(str(model.value("prompt")))
        if self._negative.text() != str(model.value("negative")):
            self._negative.setText(str(model.value("negative")))
        if offer.takes_words:
            for name, field in self._sides.items():
                field.blockSignals(True)
                field.setValue(int(model.value(name)))
                field.blockSignals(False)
        self._seed.setText(str(model.seed))
        self._keeps.blockSignals(True)
        self._keeps.setChecked(model.keeps_seed)
        self._keeps.blockSignals(False)
        self._count.blockSignals(True)
        self._count.setValue(model.count)
        self._count.blockSignals(False)
        others = [one for one in offer.options if one.name not in OWN_FIELDS]
        self._panel.show_options(others)
        self._panel.setVisible(bool(others))
        self._show_about()

    def _show_about(self) -> None:
        offer = self._model.offer
        assert offer is not None, "asked for after the offers came"
        word, kind = licence_word(offer.licence_class) if offer.pack else (_("built in"), "plain")
        self._licence.setText(word)
        self._licence.setProperty("chip", kind)
        self._licence.style().unpolish(self._licence)
        self._licence.style().polish(self._licence)
        if offer.pack:
            text = _("{engine}, licence: {licence}", engine=engine_word(offer.engine), licence=offer.licence)
        elif offer.engine == "picture.sketch":
            text = _("Paints simple scenes by rules and tells which words it does not know.")
            if not any(one.pack for one in self._model.offers):
                text += " " + _("For a model: signet pack add FOLDER")
        elif offer.engine == "picture.restore":
            text = _(
                "Paint over the damage, or let it be found and correct the mask. Without a mask it finds it alone."
            )
        else:
            text = _("Less noise, more contrast, more pixels, by rules.")
        self._about.setText(text)

    def on_changed(self) -> None:
        """Show what is there and what is missing."""
        model, offer = self._model, self._model.offer
        takes_picture = offer is not None and offer.takes_picture
        self._input.setVisible(takes_picture)
        if offer is not None and takes_picture:
            needed = offer.needs_picture
            self._input_title.setText(
                _("Picture that is worked on") if needed else _("Picture to start from, if you like")
            )
            ready = model.slot.state == "ready"
            self._paint.setVisible(offer.takes_mask and ready)
            self._find.setVisible(offer.engine == "picture.restore" and ready)
            paints = offer.takes_mask and ready and (self._paint.isChecked() or model.mask.is_painted)
            if paints and not self._paint.isChecked():
                self._paint.setChecked(True)
            self.tools.setVisible(paints)
            self._card.frame.setVisible(not paints)
            self.tools.canvas.show_picture(model.slot.image)
            self._show_consents()
        missing = self._missing()
        self._why.setText(missing)
        self._why.setVisible(bool(missing))
        self._make.setEnabled(not missing)

    def _show_consents(self) -> None:
        """As on the workspace: who is seen needs a live consent."""
        model = self._model
        grants = model.grants()
        ready = model.slot.state == "ready"
        wanted = repr((ready, model.slot.sha256, [grant.id for grant in grants], sorted(model.consents)))
        if wanted == self._shown_grants:
            return
        self._shown_grants = wanted
        clear(self._consents)
        if not ready or not model.slot.faces:
            return
        if not grants:
            record = button("pictures_record", _("Record consent..."), icon="plus")
            record.clicked.connect(lambda: self.record_asked.emit(model.slot.path))
            line = row(label(_("No live consent covers this file.")), record)
            line.setStretch(0, 1)
            self._consents.addLayout(line)
            return
        for grant in grants:
            who = self.studio.people.name_of(grant)
            text = _("Consent of {name}, until {date}", name=who, date=grant.valid_until)
            tick = named(QCheckBox(text), f"pictures_consent_{grant.id}", text)
            tick.setChecked(grant.id in model.consents)
            tick.setToolTip(purposes_text(grant.purposes))
            tick.toggled.connect(lambda on, grant_id=grant.id: model.set_consent(grant_id, on))
            self._consents.addWidget(tick)

    def _missing(self) -> str:
        model, offer = self._model, self._model.offer
        if offer is None:
            return _("Looking for what is there...")
        if model.line.is_active:
            return _("A picture is being made.")
        if offer.takes_words and not str(model.value("prompt")).strip():
            return _("Next: say what the picture shows.")
        if not offer.takes_picture:
            return ""
        slot = model.slot
        if slot.state == "empty":
            return _("Next: choose the picture.") if offer.needs_picture else ""
        if slot.state == "reading":
            return _("Looking for faces...")
        if slot.state == "refused":
            return _("Next: choose another picture.")
        if slot.faces and not model.consents:
            return _("Next: whoever is seen in the picture has to consent.")
        return ""

    # --- doing ------------------------------------------------------------------------------------------------------

    def on_make(self) -> None:
        """Ask for the work; the gate is asked before a pixel is touched."""
        if self._make.isEnabled() and not self._missing():
            self.banner.hide()
            self.on_seed()
            self._model.start()

    def on_seed(self) -> None:
        """A number somebody typed is kept; anything else gives the old one back."""
        text = self._seed.text().strip()
        if text.isascii() and text.isdigit() and int(text) < SEEDS:
            if int(text) != self._model.seed:
                self._model.set_seed(int(text))
        else:
            self._seed.setText(str(self._model.seed))

    def on_keep(self, keeps: bool) -> None:
        """Keep the seed from one picture to the next."""
        self._model.keeps_seed = keeps

    def on_count(self, count: int) -> None:
        """How many."""
        self._model.count = count

    def on_purpose(self, _index: int) -> None:
        """What it is for."""
        self._model.purpose = self._purpose.currentData()

    def on_presets(self) -> None:
        """Named sets of options."""
        dialog = PresetsDialog(self._model, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def on_release(self, take: object) -> None:
        """The release page does the rest."""
        if self._model.hand_over(take):  # type: ignore[arg-type]  # a Take, through a signal
            self.go.emit("release")
        else:
            self.banner.show_message("info", _("Something else is being made; wait until it is done."))
