"""The receipt of a consent once more, for a person who lost theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QLineEdit, QWidget

from compliance.errors import SignetError
from studio.text import _
from studio.window.models.people import PeopleModel
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, column, label, named, row
from studio.window.widgets.file_dialogs import choose_out

if TYPE_CHECKING:
    from pathlib import Path

    from studio.workshop import GrantView

WIDTH = 560


def ask_receipt_out(parent: QWidget, grant: GrantView, ending: str) -> Path | None:
    """Where a receipt shall stand, with its ending; None when the reader changes their mind."""
    filters = _("PDF (*.pdf)") if ending == "pdf" else _("JSON (*.json)")
    out = choose_out(parent, _("Save the receipt"), f"{grant.receipt_id or grant.id}.{ending}", filters)
    if out is None or out.suffix.lower() == f".{ending}":
        return out
    return out.with_name(f"{out.name}.{ending}")


class ReceiptDialog(QDialog):
    """Writes a receipt as PDF or JSON; the withdrawal code only stands on it when somebody still has it."""

    def __init__(self, model: PeopleModel, grant: GrantView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("receipt_dialog")
        self.setWindowTitle(_("Receipt"))
        self.setMinimumWidth(WIDTH)
        self._model, self._grant = model, grant
        self.banner = Banner("receipt_banner")
        self._code = named(QLineEdit(), "receipt_code", _("Withdrawal code (optional)"))
        self._code.setPlaceholderText(_("Withdrawal code (optional)"))
        done = button("receipt_done", _("Close"), "quiet")
        done.clicked.connect(self.accept)
        self._pdf = button("receipt_pdf", _("Save as PDF..."), "primary", "release")
        self._pdf.clicked.connect(lambda: self.on_save("pdf"))
        self._json = button("receipt_json", _("Save as JSON..."))
        self._json.clicked.connect(lambda: self.on_save("json"))
        self.setLayout(
            column(
                label(_("Receipt of {name}", name=model.name_of(grant)), "heading"),
                label(
                    _(
                        "The studio does not keep the withdrawal code in readable form. If the person has it, enter it "
                        "and it is printed again; without it the receipt says what was agreed and nothing more."
                    ),
                    "muted",
                ),
                self._code,
                self.banner,
                row(done, 1, self._json, self._pdf),
                spacing=12,
                margins=24,
            )
        )
        self._pdf.setFocus()

    def on_save(self, ending: str) -> None:
        """Ask for a place and write it there."""
        self.banner.hide()
        out = ask_receipt_out(self, self._grant, ending)
        if out is None:
            return

        def then(_answer: object) -> None:
            self.banner.show_message("ok", _("The receipt is saved."), str(out))

        code = self._code.text().strip() or None
        self._model.save_receipt(self._grant.id, out, code, then, self.on_refused)

    def on_refused(self, error: SignetError) -> None:
        """Say why."""
        self.banner.show_error(error)
