"""Qt's own texts (file dialogs, context menus) in the reader's language."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

_loaded: list[QTranslator] = []


def load_qt_texts(code: str) -> bool:
    """Load Qt's catalogue for "en" or "zh-CN"; False when there is none for it."""
    while _loaded:
        QCoreApplication.removeTranslator(_loaded.pop())
    locale = QLocale(code)
    QLocale.setDefault(locale)
    if code == "en":
        return True
    translator = QTranslator()
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if not translator.load(locale, "qtbase", "_", folder):
        return False
    _loaded.append(translator)
    return QCoreApplication.installTranslator(translator)
