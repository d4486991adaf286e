"""What looks at words and pictures here, phrase by phrase; an admin chooses the classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QListWidget, QWidget

from compliance.errors import SignetError
from studio.text import _, sentences
from studio.window.models.model import Model
from studio.window.models.studio import Studio
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, column, label, named, row
from studio.window.words import review_category, review_outcome

if TYPE_CHECKING:
    from studio.review import ReviewView, WordView

LEAST_WIDTH, LEAST_HEIGHT = 640, 620


class ReviewDialog(QDialog):
    """Lists and their phrases for everybody, so that a refusal can be understood; the choice for who may."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._model = Model(studio.workshop, studio.calls, self)
        self._words: Sequence[WordView] = ()
        self.setObjectName("review_dialog")
        self.setWindowTitle(_("The review"))
        self.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
        self.banner = Banner("review_banner")
        self._now = label("", "strong")
        self._problem = label("", "small")
        self._problem.hide()
        self._pack = named(QComboBox(), "review_pack", _("Classifier"))
        self._pack.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._use = button("review_use", _("Use from now on"), "primary")
        self._use.clicked.connect(self.on_use)
        self._why = label("", "small")
        self._about = label("", "muted")
        self._search = named(QLineEdit(), "review_search", _("Search the phrases"))
        self._search.setPlaceholderText(_("Search the phrases"))
        self._search.textChanged.connect(self.on_search)
        self._list = named(QListWidget(), "review_words", _("Phrases"))
        self._list.setUniformItemSizes(True)
        shut = button("review_close", _("Close"))
        shut.clicked.connect(self.accept)
        choice = row(self._pack, self._use, 1)
        self.setLayout(
            column(
                label(_("Pictures and films"), "heading"),
                label(
                    _(
                        "What goes in and what comes out is looked at in the worker, every frame of a film. The "
                        "built-in rules are rough and only ask a reviewer; a classifier also stops what it is sure of."
                    ),
                    "muted",
                ),
                self._now,
                self._problem,
                choice,
                self._why,
                self.banner,
                label(_("Words"), "heading"),
                self._about,
                self._search,
                self._list,
                row(1, shut),
                spacing=8,
                margins=22,
            )
        )
        self._model.failed.connect(self.on_failed)
        self._model.busy_changed.connect(self.on_busy_changed)
        self.on_busy_changed(False)
        self._search.setFocus()
        review = studio.workshop.review
        self._model.call(lambda: (review.state(), review.packs(), review.words()), self._take)

    def on_use(self) -> None:
        """Choose what is shown."""
        review, pack = self._studio.workshop.review, self._pack.currentData()
        self.banner.hide()
        self._model.call(lambda: (review.choose(pack), review.packs(), self._words), self._chosen)

    def on_search(self, text: str) -> None:
        """Show the phrases that hold the text."""
        wanted = text.strip().casefold()
        for place in range(self._list.count()):
            item = self._list.item(place)
            item.setHidden(wanted not in item.text().casefold())

    def on_failed(self, error: SignetError) -> None:
        """Say what was refused; what is in force stays."""
        self.banner.show_error(error)

    def on_busy_changed(self, busy: bool) -> None:
        """A classifier is loaded before it is chosen: that takes a moment."""
        why = self._studio.accounts.why_not("choose_review")
        for part in (self._use, self._pack):
            part.setEnabled(not why and not busy)
        self._why.setText(why)
        self._why.setVisible(bool(why))

    def _chosen(self, answer: Any) -> None:
        self._take(answer)
        self.banner.show_message("ok", _("It looks at every picture from now on, and the ledger keeps who chose it."))

    def _take(self, answer: Any) -> None:
        view, packs, self._words = answer
        self._show_choice(view, packs)
        lists = ", ".join(view.lists)
        self._about.setText(
            _(
                "{count} phrases of the lists {lists}. Spellings are found too. A word of the prompt or script that is "
                "stopped ends the work; any other hit opens a case.",
                count=len(self._words),
                lists=lists,
            )
        )
        self._list.clear()
        self._list.addItems(
            [f"{one.text}   ({review_category(one.category)}, {review_outcome(one.severity)})" for one in self._words]
        )
        self.on_search(self._search.text())

    def _show_choice(self, view: ReviewView, packs: Sequence[str]) -> None:
        built_in = _("the built-in rules alone")
        now = _("Pictures are looked at by: {name}", name=view.classifier or built_in)
        self._now.setText(now)
        self._problem.setText(" ".join(sentences(view.problem)) if view.problem is not None else "")
        self._problem.setVisible(view.problem is not None)
        self._pack.clear()
        self._pack.addItem(built_in, None)
        for pack in packs:
            self._pack.addItem(pack, pack)
        self._pack.setCurrentIndex(max(0, self._pack.findData(view.classifier or None)))
