"""The review of a home: what the gate is told of the words of a request, and which classifier looks at its pictures.

Words are looked for here, before a permit is given; pictures are looked at in the worker, by what the permit names.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from compliance.account import Accounts
from compliance.account_log import Chosen, account_log
from compliance.content import ContentDecision, ContentHit
from compliance.errors import ClassifierUnusable, LicenceForbids, ReviewUnavailable, SignetError
from compliance.ledger import Ledger
from compliance.permit import Claim
from compliance.review import ReviewLists, refuse_stops, review_text, shipped_lists
from compliance.review_rules import RULES
from compliance.roles import Action
from engines.engine import Request
from engines.packs import LicenceClass
from engines.voice.markup import without_tags
from studio.looking import KIND
from studio.packs import find_pack, packs_folder

if TYPE_CHECKING:
    from studio.runner import JobRunner

# The one option whose words say what shall not be there.
_UNWANTED: Final = frozenset({"negative"})
_REMEMBERED = 256
# A review is no purpose that a licence for private use or for research would cover.
_FITTING = (LicenceClass.OPEN, LicenceClass.RESPONSIBLE_USE)


def words_of(request: Request) -> tuple[tuple[str, str], ...]:
    """Every text among the options of a request, however deep, by the option's name: prompts, scripts, lines."""
    found = [(name, text) for name, value in request.options.items() if name not in _UNWANTED for text in _texts(value)]
    # Tags are not heard: a word that they cut in two is whole again in speech.
    spoken = [(name, heard) for name, text in found if (heard := without_tags(text)) != text]
    return (*found, *spoken)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


class WordsReview:
    """The gate's look at the words of a request (Deep Synthesis Provisions, Art. 10).

    A claim holds only the digest of its request, so the request is shown here first; a claim for words that nobody
    showed is refused. The words stay in memory. chosen: the classifier that is in force; verify_chosen raises when it
    cannot be used.
    """

    def __init__(
        self,
        chosen: Callable[[], Chosen | None] = lambda: None,
        verify_chosen: Callable[[Chosen], None] = lambda _chosen: None,
    ) -> None:
        self._chosen, self._verify_chosen = chosen, verify_chosen
        self._words: dict[str, tuple[tuple[str, str], ...]] = {}
        self._hits: dict[str, tuple[ContentHit, ...]] = {}
        self._lists: ReviewLists | None = None
        self._lock = threading.Lock()

    def show(self, request: Request, more: tuple[tuple[str, str], ...] = ()) -> None:
        """Remember the words of a request for the gate. more: words of its input, by their place."""
        with self._lock:
            for kept, value in ((self._words, (*words_of(request), *more)), (self._hits, ())):
                kept.pop(request.digest(), None)
                kept[request.digest()] = value  # type: ignore[assignment]  # each value is of its own dictionary
                while len(kept) > _REMEMBERED:
                    del kept[next(iter(kept))]

    def hits(self, request: Request) -> tuple[ContentHit, ...]:
        """What a reviewer has to look at in the words of a request that the gate has asked about."""
        with self._lock:
            return self._hits.get(request.digest(), ())

    def lists(self) -> ReviewLists:
        """The lists in force; raises ReviewListDamaged, ReviewUnavailable."""
        if self._lists is None:
            self._lists = shipped_lists()
        return self._lists

    def __call__(self, claim: Claim, /) -> ContentDecision:
        """By what the request is judged, and what a reviewer has to look at.

        Raises ContentBlocked at a hard stop; ReviewListDamaged, ReviewUnavailable, ClassifierUnusable when nothing can
        be said.
        """
        with self._lock:
            words = self._words.get(claim.request_sha256)
            if words is None:
                raise ReviewUnavailable(part="prompt", reason="the words were not shown")
            lists = self.lists()
        chosen = self._chosen()
        if chosen is not None:
            self._verify_chosen(chosen)
        hits = tuple(hit for place, text in words for hit in refuse_stops(review_text(text, lists), place))
        with self._lock:
            self._hits[claim.request_sha256] = hits
        named = (chosen.pack, chosen.sha256) if chosen is not None else ("", "")
        return ContentDecision(lists.sha256, RULES, *named, hits)


@dataclass(frozen=True, slots=True)
class ReviewView:
    """What reviews in this home. lists: id and version of each; classifier: "" where none was chosen.

    problem: the sentence of what keeps the classifier from being used, "" without one.
    """

    lists: tuple[str, ...]
    lists_sha256: str
    rules: str
    classifier: str
    classifier_sha256: str
    problem: SignetError | None = None


@dataclass(frozen=True, slots=True)
class WordView:
    """A phrase that is looked for. severity: "stop", "case", or "pass" for a harmless thing that holds one."""

    list_id: str
    rule: str
    text: str
    category: str
    severity: str


class Review:
    """The review of one home; made by the workshop. content: the hook of the gate."""

    def __init__(self, home: Path, ledger: Ledger, accounts: Accounts, runner: JobRunner) -> None:
        self._home, self._ledger, self._accounts, self._runner = home, ledger, accounts, runner
        self.content = WordsReview(lambda: account_log(self._ledger).classifier, self._verify_chosen)

    def _verify_chosen(self, chosen: Chosen) -> None:
        """Raise ClassifierUnusable unless the pack is there and the one that was chosen; the worker verifies files."""
        try:
            found = find_pack(self._home, chosen.pack).digest()
        except SignetError as error:
            raise ClassifierUnusable(part=chosen.pack, reason="the pack is missing") from error
        if found != chosen.sha256:
            raise ClassifierUnusable(part=chosen.pack, reason="it is not the pack that was chosen")

    def state(self) -> ReviewView:
        """What reviews now. Works signed out."""
        lists, chosen = self.content.lists(), account_log(self._ledger).classifier
        problem: SignetError | None = None
        if chosen is not None:
            try:
                self._verify_chosen(chosen)
                self._runner.load_classifier(chosen.pack, chosen.sha256)
            except SignetError as error:
                problem = error
        return ReviewView(
            tuple(f"{one.id} {one.version}" for one in lists.info),
            lists.sha256,
            RULES,
            chosen.pack if chosen else "",
            chosen.sha256 if chosen else "",
            problem,
        )

    def words(self) -> list[WordView]:
        """Every phrase of the lists, in their order. Works signed out."""
        entries = self.content.lists().entries
        return [WordView(one.list_id, one.rule, one.text, one.category, one.severity) for one in entries]

    def packs(self) -> list[str]:
        """Ids of the packs that may be chosen, unverified; damaged ones and ones of other kinds are left out."""
        folder, found = packs_folder(self._home), []
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            try:
                pack = find_pack(self._home, path.name)
            except SignetError:
                continue
            if pack.kind == KIND and pack.licence_class in _FITTING:
                found.append(pack.id)
        return found

    def choose(self, pack_id: str | None) -> ReviewView:
        """Let a classifier pack look at all pictures from now on, or, with None, the built-in rules alone.

        The worker loads it first. Raises RoleMissing, StepUpNeeded, PackMissing, ClassifierUnusable, LicenceForbids.
        """
        by = self._accounts.require_for(Action.CHOOSE_REVIEW).account
        fields = {"pack": "", "sha256": "", "by": by.id}
        if pack_id is not None:
            pack = find_pack(self._home, pack_id)
            if pack.kind != KIND:
                raise ClassifierUnusable(part=pack.id, reason="it is a pack of another kind")
            if pack.licence_class not in _FITTING:
                raise LicenceForbids(what=pack.id, licence=pack.licence_class.value)
            self._runner.load_classifier(pack.id, pack.digest())
            fields |= {"pack": pack.id, "sha256": pack.digest()}
        self._ledger.append_now("review_chosen", fields)
        return self.state()
