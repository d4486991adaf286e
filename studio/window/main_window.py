"""The main window: side bar, pages, and what outlives a change of language."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QObject, QTimer
from PySide6.QtGui import QCloseEvent, QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QDialog, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from compliance.errors import AgreementNotAccepted, SignetError, StepUpNeeded
from studio.settings import Settings
from studio.text import _, language, set_language
from studio.window.calls import Calls
from studio.window.leaving import Left, close_dialogs, hide_dialogs
from studio.window.models.studio import Studio
from studio.window.pages.about_page import AboutPage
from studio.window.pages.account_page import AccountPage
from studio.window.pages.asking import AgreementDialog, StepUpDialog
from studio.window.pages.cases_page import CasesPage
from studio.window.pages.library_page import LibraryPage
from studio.window.pages.make_page import MakePage
from studio.window.pages.members_page import MembersPage
from studio.window.pages.page import Page
from studio.window.pages.people_page import PeoplePage
from studio.window.pages.pictures_page import PicturesPage
from studio.window.pages.release_page import ReleasePage
from studio.window.pages.sealing_page import SealingPage
from studio.window.pages.verify_page import VerifyPage
from studio.window.pages.voice_page import VoicePage
from studio.window.pages.workspace_page import WorkspacePage
from studio.window.qt_texts import load_qt_texts
from studio.window.theme import ICONS
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import empty_state
from studio.window.widgets.camera import wait_for_endings
from studio.window.widgets.side_bar import SideBar

if TYPE_CHECKING:
    from studio.workshop import Workshop

PAGES: tuple[type[Page], ...] = (
    AccountPage,
    PeoplePage,
    WorkspacePage,
    PicturesPage,
    VoicePage,
    MakePage,
    ReleasePage,
    LibraryPage,
    SealingPage,
    VerifyPage,
    MembersPage,
    CasesPage,
    AboutPage,
)
SIZE = (1180, 780)
SMALLEST = (960, 640)
OPEN_WITHOUT_SESSION = ("account", "verify", "about")
LOOK_MS = 20_000
CHECKPOINT_MS = 60_000
ACTIVE = (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel)


class MainWindow(QMainWindow):
    """Empty until `adopt` gives it a workshop; rebuilt whole when the language changes."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Signet")
        self.setWindowIcon(QIcon(str(ICONS / "seal.svg")))
        self.resize(*SIZE)
        self.setMinimumSize(*SMALLEST)
        self.studio: Studio | None = None
        self.pages: dict[str, Page] = {}
        self.current = "account"
        self._was_open = False
        self._left = Left()
        self.calls = Calls(self)
        self.calls.ask = self.ask
        self._asking: QDialog | None = None
        self._was_active = False
        # Keys that were locked meanwhile lead back to the password; work at the window keeps them open.
        self._clock = QTimer(self)
        self._clock.setInterval(LOOK_MS)
        self._clock.timeout.connect(self.on_look)
        self._log_clock = QTimer(self)
        self._log_clock.setInterval(CHECKPOINT_MS)
        self._log_clock.timeout.connect(self.on_minute)
        QApplication.instance().installEventFilter(self)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.on_colour_scheme_changed)
        self._build()

    def adopt(self, workshop: Workshop, settings: Settings) -> None:
        """Show a workshop; the window keeps it until it is closed."""
        if settings["language"]:
            set_language(settings["language"])
        if settings["geometry"]:
            self.restoreGeometry(QByteArray.fromBase64(settings["geometry"].encode()))
        self.studio = Studio(workshop, settings, self.calls, self)
        self.studio.accounts.changed.connect(self.on_accounts_changed)
        self._build()
        self.studio.accounts.refresh()
        self._clock.start()
        self._log_clock.start()

    def _build(self) -> None:
        load_qt_texts(language())
        self.side_bar = SideBar()
        self.side_bar.chosen.connect(self.show_page)
        self.side_bar.language_chosen.connect(self.on_language_chosen)
        self.banner = Banner("window_banner")
        self._stack = QStackedWidget()
        self.pages = {}
        for kind in PAGES if self.studio is not None else ():
            assert self.studio is not None, "pages need a studio"
            page = kind(self.studio)
            page.go.connect(self.show_page)
            self.pages[page.name] = page
            self._stack.addWidget(page)
        workspace, library = self.pages.get("workspace"), self.pages.get("library")
        pictures, sealing = self.pages.get("pictures"), self.pages.get("sealing")
        if isinstance(sealing, SealingPage):
            sealing.record_asked.connect(self.on_record_asked)
            sealing.verify_asked.connect(self.on_verify_asked)
        if isinstance(pictures, PicturesPage):
            pictures.record_asked.connect(self.on_record_asked)
        voice = self.pages.get("voice")
        if isinstance(voice, VoicePage):
            voice.record_asked.connect(self.on_record_asked)
        if isinstance(workspace, WorkspacePage):
            workspace.record_asked.connect(self.on_record_asked)
        if isinstance(library, LibraryPage):
            library.verify_asked.connect(self.on_verify_asked)
            library.recalled.connect(self.on_recalled)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        above = QHBoxLayout()
        above.setContentsMargins(32, 0, 32, 0)
        above.addWidget(self.banner)
        right.addLayout(above)
        if self.studio is None:
            right.addStretch(1)
            right.addWidget(empty_state("release", _("Opening the studio..."), _("One moment.")))
            right.addStretch(1)
        else:
            right.addWidget(self._stack, 1)
        whole = QHBoxLayout()
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.side_bar)
        whole.addLayout(right, 1)
        centre = QWidget()
        centre.setLayout(whole)
        self.setCentralWidget(centre)
        self._show_session()
        if self.pages:
            self.show_page(self.current)

    def show_page(self, name: str, anew: bool = True) -> None:
        """Bring a page to the front; signed out, only those that need no session. anew: it reads its data again."""
        if self.studio is None or name not in self.pages:
            return
        if not self.studio.accounts.is_open and name not in OPEN_WITHOUT_SESSION:
            name = "account"
        self.current = name
        self._stack.setCurrentWidget(self.pages[name])
        self.side_bar.show_current(name)
        if anew:
            self.pages[name].enter()
        self.pages[name].focus_first()

    def ask(self, error: SignetError, again: Callable[[], None], refuse: Callable[[], None]) -> bool:
        """Ask for what a refused step lacks, then do the step again; False for any other error."""
        if self.studio is None or self._asking is not None:
            return False
        dialog: QDialog
        parent = QApplication.activeModalWidget() or self
        match error:
            case StepUpNeeded():
                dialog = StepUpDialog(self.studio, parent)
            case AgreementNotAccepted():
                dialog = AgreementDialog(self.studio, parent)
            case _:
                return False

        def on_finished(result: int) -> None:
            self._asking = None
            (again if result == QDialog.DialogCode.Accepted else refuse)()
            dialog.deleteLater()

        self._asking = dialog
        dialog.finished.connect(on_finished)
        dialog.open()
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that somebody works here."""
        if event.type() in ACTIVE:
            self._was_active = True
        return False

    def on_look(self) -> None:
        """Tell the workshop about work at the window, and notice keys that were locked."""
        if self.studio is None or self.studio.accounts.session is None:
            return
        if self._was_active and self.studio.accounts.is_open:
            self.studio.accounts.mark_active()
        self._was_active = False
        self.studio.accounts.look()

    def on_minute(self) -> None:
        """Let the log be signed when it is time; a window may stand open for days."""
        if self.studio is not None and self.studio.accounts.is_open:
            self.calls.aside(self.studio.workshop.logkeeping.due_checkpoint, _ignore, self.show_error)

    def on_accounts_changed(self) -> None:
        """Signing in leads to the people; unlocking back to where one was; locking and signing out to the account."""
        assert self.studio is not None, "signals come from the studio"
        accounts = self.studio.accounts
        self._show_session()
        username = accounts.session.username if accounts.session is not None else None
        if accounts.is_open and username is not None:
            self.studio.settings.update({"account": username})
        if accounts.is_open and not self._was_open:
            self._come_in(username)
        elif accounts.is_locked and self._was_open:
            self._lock(username)
        elif username is None:
            self._left.close()
            if self.current not in OPEN_WITHOUT_SESSION or self._was_open:
                close_dialogs()
                self.show_page("account")
        elif not accounts.is_open and self.current not in OPEN_WITHOUT_SESSION:
            self.show_page("account")
        self._was_open = accounts.is_open

    def _come_in(self, username: str | None) -> None:
        assert self.studio is not None, "signals come from the studio"
        account, left = self.studio.accounts.account, self._left
        self._left = Left()
        if left.username == username and left.page in self.pages:
            self.show_page(left.page, anew=False)
            left.open()
            return
        left.close()
        self.show_page("people" if account is None or account.level != "none" else "account")

    def _lock(self, username: str | None) -> None:
        """Hide everything, forms with what was typed and open dialogs too, until the password is given."""
        if self._asking is not None:
            self._asking.reject()
        self._left = Left(username, self.current, hide_dialogs())
        self.show_page("account")

    def _show_session(self) -> None:
        accounts = self.studio.accounts if self.studio else None
        self.side_bar.set_open(accounts is not None and accounts.is_open)
        session = accounts.session if accounts else None
        self.side_bar.set_account(session.username if session else None)

    def on_language_chosen(self, code: str) -> None:
        """Speak another language at once: the pages are built anew, the models stay."""
        if code == language():
            return
        set_language(code)
        if self.studio is not None:
            self.studio.settings.update({"language": code})
        self._build()

    def on_colour_scheme_changed(self) -> None:
        """Light became dark or the other way: icons are drawn in the colours of the theme, so all is built anew."""
        self._build()

    def on_record_asked(self, asset: object) -> None:
        """From the workspace to the wizard, with the picture."""
        self.show_page("people")
        page = self.pages["people"]
        assert isinstance(page, PeoplePage), "the page of that name"
        page.record_for(asset)  # type: ignore[arg-type]  # a Path, through a signal

    def on_verify_asked(self, path: object) -> None:
        """From the library to the verify page, with the file."""
        self.show_page("verify")
        page = self.pages["verify"]
        assert isinstance(page, VerifyPage), "the page of that name"
        page.check(path)  # type: ignore[arg-type]  # a Path, through a signal

    def on_recalled(self, recipe: object) -> None:
        """From the library to the pictures page: a picture that went in has to be put in again."""
        names = recipe.inputs  # type: ignore[attr-defined]  # a Recipe, through a signal
        if names:
            text = _("Everything is set as it was; put the picture in again: {names}", names=_(", ").join(names))
            self.pages["pictures"].banner.show_message("info", text)

    def show_error(self, error: SignetError) -> None:
        """Say above all pages what went wrong."""
        self.banner.show_error(error)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember place and size, stop what runs, end the worker."""
        if self.studio is not None:
            geometry = self.saveGeometry().toBase64().toStdString()
            self.studio.settings.update({"geometry": geometry})
            self._clock.stop()
            self._log_clock.stop()
            self._left.close()
            close_dialogs()
            wait_for_endings()
            self.studio.making.cancel()
            self.studio.voices.cancel()
            self.studio.picturing.line.cancel()
            self.studio.sealing.line.cancel()
            self.calls.finish()
            self.studio.workshop.close()
        super().closeEvent(event)


def _ignore(_answer: object) -> None:
    """It is signed, or it was not time."""
