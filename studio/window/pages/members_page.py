"""Members: accounts, their roles and proofs, what waits for a second person, the times that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QPushButton

from studio.text import _
from studio.window.folders import show_address
from studio.window.models.studio import Studio
from studio.window.pages.member_dialogs import AttestDialog, FactorDialog, PasswordDialog
from studio.window.pages.own_account import NationalDialog
from studio.window.pages.page import Page
from studio.window.widgets.basic import button, card, chip, clear, column, holder, label, moment, named, row
from studio.window.widgets.chooser import Chooser
from studio.window.widgets.file_dialogs import choose_file
from studio.window.words import level_word, proposal_word, role_word

if TYPE_CHECKING:
    from studio.members import MemberView, ProposalView

ROLES = ("creator", "consent_officer", "reviewer", "auditor", "admin")
LIST_WIDTH = 180


def gated(made: QPushButton | QCheckBox | QComboBox, why: str) -> None:
    """Disable what may not be used, and say why."""
    made.setEnabled(not why)
    made.setToolTip(why)


class MembersPage(Page):
    """The list on the left, the chosen account on the right, above it what waits for a second person."""

    name = "members"

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio,
            _("Members"),
            _("Who works here and what they may do. Where several people work, two of them change a role together."),
        )
        self._model = studio.members
        self._profile = named(QComboBox(), "members_profile", _("Times"))
        self._profile.addItem(_("one creator on one machine"), "personal")
        self._profile.addItem(_("several people"), "studio")
        self._profile.activated.connect(self.on_profile)
        add = button("members_add", _("Add an account..."), "primary", "plus")
        add.clicked.connect(lambda: self.go.emit("account"))
        self._add = add
        self.head_actions.addWidget(label(_("Times"), "muted", wrap=False))
        self.head_actions.addWidget(self._profile)
        self.head_actions.addWidget(add)
        self._list = Chooser("members_list", _("Accounts"), LIST_WIDTH)
        self._list.picked.connect(self._model.choose)
        self._proposals = column(spacing=10)
        self._detail = column(spacing=12)
        right = holder(column(holder(self._proposals), holder(self._detail), 1, spacing=12))
        self.body.addLayout(self._list.beside(right), 1)
        self._model.changed.connect(self.on_changed)
        self._model.failed.connect(self.on_failed)
        self._model.done.connect(self.on_done)
        self.on_changed()

    def enter(self) -> None:
        """Read anew: others work here too."""
        if self.studio.accounts.is_open:
            self._model.refresh()

    def _is_me(self, username: str) -> bool:
        session = self.studio.accounts.session
        return session is not None and session.username == username

    def _why(self, action: str) -> str:
        return self.studio.accounts.why_not(action)

    def on_changed(self) -> None:
        """Show accounts as they are now."""
        self._profile.setCurrentIndex(max(0, self._profile.findData(self._model.profile)))
        gated(self._profile, self._why("change_profile"))
        gated(self._add, self._why("create_account"))
        lines = ((member.username, f"{member.username}\n{level_word(member.level)}") for member in self._model.members)
        self._list.show_rows(lines, self._model.chosen)
        clear(self._proposals)
        for proposal in self._model.proposals:
            self._proposals.addWidget(self._proposal_card(proposal))
        clear(self._detail)
        if (member := self._model.member) is not None:
            self._detail.addWidget(self._member_card(member))

    def _proposal_card(self, proposal: ProposalView) -> QFrame:
        detail = role_word(proposal.detail) if proposal.kind.endswith("_role") else ""
        what = _("{what}: {account}", what=proposal_word(proposal.kind), account=proposal.account)
        why = _("Whoever asked for it does not confirm it.") if self._is_me(proposal.proposed_by) else ""
        spoken = _("Confirm: {what}", what=what)
        confirm = button(f"members_confirm_{proposal.id}", _("Confirm"), "primary", accessible_name=spoken)
        gated(confirm, why)
        confirm.clicked.connect(lambda: self.on_confirm(proposal))
        spoken = _("Refuse: {what}", what=what)
        refuse = button(f"members_refuse_{proposal.id}", _("Refuse"), "quiet", accessible_name=spoken)
        refuse.clicked.connect(lambda: self._model.step(lambda: self.studio.workshop.members.refuse(proposal.id)))
        until = moment(proposal.expires_at)
        texts = column(
            label(what, "strong"),
            *([row(chip(detail, "plain"), 1)] if detail else []),
            label(_("Asked for by {name}, until {when}.", name=proposal.proposed_by, when=until), "small"),
            spacing=3,
        )
        line = row(holder(texts), refuse, confirm)
        line.setStretch(0, 1)
        return card(line, 14)

    def _member_card(self, member: MemberView) -> QFrame:
        own = self._is_me(member.username)
        proven = chip(level_word(member.level), "ok" if member.level != "none" else "warn")
        head = row(label(member.username, "heading", wrap=False), proven, spacing=8)
        if member.state != "active":
            head.addWidget(chip(_("closed"), "plain"))
        if not member.is_bound:
            head.addWidget(chip(_("locked out"), "danger"))
        head.addStretch(1)
        facts = []
        if member.proof_until:
            facts.append(_("The proof of identity holds until {date}.", date=member.proof_until[:10]))
        if member.verified_by:
            facts.append(_("Seen by {names}.", names=_(", ").join(member.verified_by)))
        factor, alone = _("Signs in with a second factor."), _("Signs in with the password alone.")
        facts.append(factor if member.has_factor else alone)
        if member.failures:
            facts.append(_("{count} wrong passwords so far.", count=member.failures))
        body = column(head, label("\n".join(facts), "muted"), label(_("Roles"), "strong"), spacing=8)
        why = self._why("grant_role")
        for role in ROLES:
            tick = named(QCheckBox(role_word(role)), f"members_role_{role}", role_word(role))
            tick.setChecked(role in member.roles)
            gated(tick, why)
            tick.clicked.connect(lambda on, role=role: self.on_role(member, role, on))
            body.addWidget(tick)
        body.addSpacing(6)
        for line in self._buttons(member, own):
            body.addLayout(line)
        return card(body, 20)

    def _buttons(self, member: MemberView, own: bool) -> list[Any]:
        attest = button("members_attest", _("Seen in person..."), icon="people")
        gated(attest, self._why("verify_identity") or (_("Nobody proves their own identity.") if own else ""))
        attest.clicked.connect(lambda: self.on_attest(member))
        rebind = button("members_rebind", _("New password for a locked account..."), "quiet")
        gated(rebind, self._why("rebind_account") or (_("For your own account, change the password.") if own else ""))
        rebind.clicked.connect(lambda: self.on_rebind(member))
        lines = [row(attest, 1), row(rebind, 1)]
        if own:
            factor = button(
                "members_factor",
                _("Take the second factor away") if member.has_factor else _("Set up a second factor..."),
                "quiet" if member.has_factor else "",
            )
            factor.clicked.connect(lambda: self.on_factor(member))
            password = button("members_password", _("Change password..."))
            password.clicked.connect(self.on_password)
            provider = button("members_provider", _("Prove identity with a provider..."), "quiet")
            provider.setToolTip(_("The settings file of the studio's identity provider is asked for."))
            provider.clicked.connect(self.on_provider)
            lines.append(row(factor, password, 1))
            national = button("members_national", _("National network identity..."), "quiet")
            national.setToolTip(_("The settings file of the service and a credential of your app are asked for."))
            national.clicked.connect(self.on_national)
            lines.append(row(provider, national, 1))
        return lines

    def on_done(self, made: object) -> None:
        """A step went well; one that waits for a second person says so."""
        if type(made).__name__ == "ProposalView":
            self.banner.show_message(
                "info", _("This waits for a second person."), _("Let them sign in and confirm it on this page.")
            )
        else:
            self.banner.show_message("ok", _("Done."))

    def on_failed(self, error: Any) -> None:
        """Say what was refused, and show things as they are."""
        super().on_failed(error)
        self.on_changed()

    def on_profile(self, _index: int) -> None:
        """Other times."""
        name = self._profile.currentData()
        self._model.step(lambda: self.studio.workshop.members.set_profile(name))

    def on_role(self, member: MemberView, role: str, on: bool) -> None:
        """Give or take a role."""
        self.banner.hide()
        parts = self.studio.workshop.members
        change = parts.grant_role if on else parts.revoke_role
        self._model.step(lambda: change(member.username, role))

    def on_confirm(self, proposal: ProposalView) -> None:
        """Confirm as the second person; a new password is typed by the person of the account."""
        self.banner.hide()
        if proposal.kind == "rebind":
            self._ask_password(
                proposal.account,
                lambda password: self.studio.workshop.members.confirm(proposal.id, password),
            )
        else:
            self._model.step(lambda: self.studio.workshop.members.confirm(proposal.id))

    def _ask_password(self, account: str, work: Any) -> None:
        dialog = PasswordDialog(_("New password of {name}", name=account), asks_old=False, parent=self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.given.connect(lambda _old, new, _code: self._model.step(lambda: work(new)))
        dialog.open()

    def on_attest(self, member: MemberView) -> None:
        """Say that the person was seen with a document."""
        self.banner.hide()
        dialog = AttestDialog(member.username, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        parts = self.studio.workshop.members
        dialog.given.connect(
            lambda document, name, number: self._model.step(
                lambda: parts.attest(member.username, document, name, number or None)
            )
        )
        dialog.open()

    def on_rebind(self, member: MemberView) -> None:
        """At once where nobody else is there, else as a proposal."""
        self.banner.hide()
        parts = self.studio.workshop.members

        def then(alone: bool) -> None:
            if alone:
                self._ask_password(member.username, lambda password: parts.rebind(member.username, password))
            else:
                self._model.step(lambda: parts.propose_rebinding(member.username))

        self._model.call(lambda: parts.can_rebind_alone(member.username), then)

    def on_factor(self, member: MemberView) -> None:
        """Set up a second factor, or take it away."""
        self.banner.hide()
        parts = self.studio.workshop.members
        if member.has_factor:
            self._model.step(parts.disable_factor)
            return

        def then(enrolment: Any) -> None:
            dialog = FactorDialog(self._model, enrolment, self.window())
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

        self._model.enroll(then)

    def on_provider(self) -> None:
        """Level L2: the studio's OpenID provider, in the system's browser; the lane stays free meanwhile."""
        self.banner.hide()
        path = choose_file(self, _("Settings of the identity provider"), _("JSON (*.json)"))
        if path is None:
            return
        self.banner.show_message("info", _("Sign in with the provider in the browser."))

        def then(_member: Any) -> None:
            self.on_done(None)
            self._model.refresh()
            self.studio.accounts.refresh()

        parts = self.studio.workshop.members
        self.studio.calls.aside(lambda: parts.prove_with_provider(path, show_address), then, self.on_failed)

    def on_national(self) -> None:
        """Level L3: the national network identity."""
        self.banner.hide()
        dialog = NationalDialog(self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.given.connect(self.on_credential)
        dialog.open()

    def on_credential(self, settings: Any, credential: str) -> None:
        """Ask the service; the lane stays free meanwhile."""
        self.banner.show_message("info", _("Asking the national service..."))

        def then(_member: Any) -> None:
            self.on_done(None)
            self._model.refresh()
            self.studio.accounts.refresh()

        parts = self.studio.workshop.members
        self.studio.calls.aside(lambda: parts.prove_with_national(settings, credential), then, self.on_failed)

    def on_password(self) -> None:
        """Change one's own password; the session ends with it."""
        self.banner.hide()
        dialog = PasswordDialog(_("Change password"), asks_old=True, parent=self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        accounts = self.studio.accounts

        def change(old: str, new: str, code: str) -> None:
            members = self.studio.workshop.members
            then = lambda _answer: accounts.refresh()  # noqa: E731  # one word more would not say more
            self._model.call(lambda: members.change_password(old, new, code or None), then)

        dialog.given.connect(change)
        dialog.open()
