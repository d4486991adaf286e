"""Two small dialogs: withdraw a consent, and what must be taken down after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QWidget

from studio.text import _
from studio.window.widgets.basic import button, column, label, moment, named, row

if TYPE_CHECKING:
    from studio.workshop import ReleaseView

WIDTH = 520


class WithdrawDialog(QDialog):
    """Asks before a consent is withdrawn; keeping it is the default."""

    def __init__(self, person: str, purposes: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("withdraw_dialog")
        self.setWindowTitle(_("Withdraw consent"))
        self.setMinimumWidth(WIDTH)
        self._reason = named(QLineEdit(), "withdraw_reason", _("Reason (optional)"))
        self._reason.setPlaceholderText(_("Reason (optional)"))
        keep = button("withdraw_keep", _("Keep the consent"))
        keep.setDefault(True)
        keep.clicked.connect(self.reject)
        withdraw = button("withdraw_confirm", _("Withdraw"), "danger")
        withdraw.clicked.connect(self.accept)
        self.setLayout(
            column(
                label(_("Withdraw the consent of {name}?", name=person), "heading"),
                label(_("It covered: {purposes}.", purposes=purposes)),
                label(
                    _(
                        "Nothing more can be made with it from now on, and this cannot be taken back. Files that were "
                        "released under it will be listed, so that you can take them down."
                    ),
                    "muted",
                ),
                self._reason,
                row(1, keep, withdraw),
                spacing=14,
                margins=24,
            )
        )
        keep.setFocus()

    def reason(self) -> str:
        """What was typed."""
        return self._reason.text().strip()


class TakeDownDialog(QDialog):
    """Lists the releases made under a withdrawn consent."""

    def __init__(self, person: str | None, releases: list[ReleaseView], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("take_down_dialog")
        self.setWindowTitle(_("Consent withdrawn"))
        self.setMinimumWidth(WIDTH)
        done = button("take_down_close", _("Close"), "primary")
        done.setDefault(True)
        done.clicked.connect(self.accept)
        what = _("The consent of {name} is withdrawn.", name=person) if person else _("The consent is withdrawn.")
        body = column(label(what, "heading"), spacing=14, margins=24)
        if releases:
            body.addWidget(label(_("These files were made under it. Take them down wherever they were published:")))
            files = named(QListWidget(), "take_down_list", _("Files to take down"))
            for release in releases:
                files.addItem(f"{release.path}\n{moment(release.created_at)}")
            files.setMinimumHeight(min(5, len(releases)) * 58 + 20)
            body.addWidget(files)
        else:
            body.addWidget(label(_("No file was released under it, so there is nothing to take down.")))
        body.addLayout(row(1, done))
        self.setLayout(body)
        done.setFocus()
