"""The look of the drawn label: presets that may only add, with a picture of what comes of them."""

from __future__ import annotations

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QDialog, QWidget

from compliance.errors import SignetError
from studio.settings import FIELDS
from studio.text import _
from studio.window.models.studio import Studio
from studio.window.widgets.basic import button, column, label, named, row
from studio.window.widgets.picture_view import PictureView

FIELDS_HERE = ("label_style", "label_position", "label_jurisdiction")


def value_word(value: str) -> str:
    """One preset in the reader's language."""
    return {
        "standard": _("standard"),
        "light": _("light plate"),
        "dark": _("dark plate"),
        "large": _("large letters"),
        "eu": _("with the European icon"),
        "auto": _("where the picture is calmest"),
        "bottom-right": _("bottom right"),
        "bottom-left": _("bottom left"),
        "top-right": _("top right"),
        "top-left": _("top left"),
        "ALL": _("all of them together"),
        "CN": _("China"),
        "EU": _("European Union"),
        "US-CA": _("California"),
        "IN": _("India"),
        "KR": _("Korea"),
    }.get(value, value)


class LabelDialog(QDialog):
    """What is chosen is kept at once and holds from the next release on."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._asked = 0
        self.setObjectName("label_dialog")
        self.setWindowTitle(_("Look of the label"))
        self.setMinimumWidth(760)
        self.view = PictureView(300)
        self.view.setObjectName("label_view")
        self.view.setAccessibleName(_("How the label will look"))
        titles = {
            "label_style": _("Look"),
            "label_position": _("Place"),
            "label_jurisdiction": _("Whose rules, besides China's"),
        }
        fields = row(spacing=14)
        self._combos: dict[str, QComboBox] = {}
        for field in (one for one in FIELDS if one.name in FIELDS_HERE):
            combo = named(QComboBox(), field.name, titles[field.name])
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            for choice in field.choices:
                combo.addItem(value_word(choice), choice)
            combo.setCurrentIndex(max(0, combo.findData(studio.settings[field.name])))
            combo.currentIndexChanged.connect(lambda _index, name=field.name: self.on_chosen(name))
            self._combos[field.name] = combo
            fields.addLayout(column(label(titles[field.name], "strong"), combo, spacing=4))
        shut = button("label_close", _("Close"), "primary")
        shut.clicked.connect(self.accept)
        self.setLayout(
            column(
                self.view,
                label(_("A preset may add to the label. None makes it smaller, paler or shorter than the law asks.")),
                fields,
                row(1, shut),
                spacing=14,
                margins=22,
            )
        )
        self._draw()

    def on_chosen(self, name: str) -> None:
        """Keep it and draw it."""
        self._studio.settings.update({name: self._combos[name].currentData()})
        self._draw()

    def _draw(self) -> None:
        self._asked += 1
        asked, choice = self._asked, self._studio.settings.label()
        sample = self._studio.workshop.kind == "demo"

        def work() -> tuple[int, int, bytes]:
            from studio.label_look import sample_label

            return sample_label(choice, sample)

        def then(drawn: tuple[int, int, bytes]) -> None:
            width, height, data = drawn
            if asked == self._asked:
                # A copy: the bytes live only as long as this answer.
                image = QImage(data, width, height, width * 3, QImage.Format.Format_RGB888)
                self.view.show_picture(image.copy())

        self._studio.calls.aside(work, then, _ignore)


def _ignore(_error: SignetError) -> None:
    """No picture of the label: the presets can be chosen all the same."""
