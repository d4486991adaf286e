"""Cases, refutations, the operator and the ledger's witnesses from the command line: codes, JSON, sentences."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from compliance import store
from compliance.clock import now
from compliance.ledger import Ledger, origin_of
from compliance.roles import Role, give, take_all
from studio import text, workshop
from studio.commands.root import build, run
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD, lower_the_cost_of_passwords
from tests.studio.command_line import Answer, MemoryKeyring

PEOPLE = {"ben": Role.CREATOR, "rita": Role.REVIEWER, "rolf": Role.REVIEWER, "otto": Role.AUDITOR}
RELEASE = "0123456789abcdef"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with maria, a creator, two reviewers, an auditor and one release by ben; copy it, never use it."""
    lower_the_cost_of_passwords()
    folder = tmp_path_factory.mktemp("cases") / "home"
    with Workshop(folder, "own", None) as shop:
        shop.create_account("maria", PASSWORD, "Maria Example")
        shop.login("maria", PASSWORD)
        for name in PEOPLE:
            shop.create_account(name, PASSWORD)
    rows = store.open_store(folder)
    ledger = Ledger(rows, origin_of(rows.identify("own").id), None)
    with rows.write() as connection:
        found = connection.execute(sa.select(store.account.c.username, store.account.c.id))
        ids = {str(name): str(account_id) for name, account_id in found}
        for name, role in PEOPLE.items():
            take_all(connection, ledger, ids[name])
            give(connection, ledger, ids[name], [role], ["test"], now())
        entered = {"release": RELEASE, "file_sha256": "2" * 64, "intent_index": 0}
        index = ledger.append(connection, "released", entered)
        connection.execute(
            sa.insert(store.release).values(
                id=RELEASE,
                state="released",
                permit_id="per-1",
                account_id=ids["ben"],
                consents="[]",
                target_path="picture.png",
                part_path="part",
                overwrite=0,
                format="png",
                payload_sha256="1" * 64,
                file_sha256="2" * 64,
                intent_index=0,
                release_index=index,
                created_at="2026-01-01T00:00:00Z",
            )
        )
    rows.close()
    return folder


@pytest.fixture
def signet(
    studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Answer]]:
    """Run one command line in this process as one of the people, in a home of its own."""
    home, keyring, secret = tmp_path / "home", MemoryKeyring(), tmp_path / "password"
    shutil.copytree(studio, home)
    secret.write_text(PASSWORD)
    monkeypatch.setattr(workshop, "find_keyring", lambda: keyring)
    monkeypatch.setenv("SIGNET_HOME", str(home))
    monkeypatch.setenv("SIGNET_PASSWORD_FILE", str(secret))
    signed_in = [""]
    text.set_language("en")

    def run_it(name: str, *words: object) -> Answer:
        if name != signed_in[0]:
            assert run(["account", "login", name]) == 0
            signed_in[0] = name
        capsys.readouterr()
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    yield run_it
    text.set_language("en")


def opened(signet: Callable[..., Answer]) -> str:
    """A case about ben, opened by maria."""
    answer = signet("maria", "case", "open", "review", "--account", "ben", "--text", "look at this", "--json")
    assert answer.code == 0, answer.err
    return str(answer.data["id"])


REFUSED: list[tuple[str, str, str, int, str]] = [
    ("no such kind", "maria", "case open appeal --text x", 2, "UsageUnclear"),
    ("no such state", "maria", "case list --state lost", 2, "UsageUnclear"),
    ("no such case", "rita", "case show cas-0", 1, "UnknownRecord"),
    ("no such account", "maria", "case open review --account eve --text x", 1, "UnknownRecord"),
    ("an auditor opens", "otto", "case open review --text x", 6, "RoleMissing"),
    ("a creator decides", "ben", "case decide CASE upheld --text x", 6, "RoleMissing"),
    ("no such decision", "rita", "case decide CASE perhaps --text x", 2, "UsageUnclear"),
    ("no such measure", "rita", "case decide CASE upheld --text x --measure jail", 2, "UsageUnclear"),
    ("no such reason", "rita", "case decide CASE upheld --text x --measure warn --reason mood", 2, "UsageUnclear"),
    ("no end", "rita", "case decide CASE upheld --text x --measure suspend", 2, "SanctionUnclear"),
    ("another's appeal", "maria", "case appeal CASE --text x", 6, "NotConcerned"),
    ("no complaint", "maria", "case import FILE", 1, "ComplaintInvalid"),
    (
        "an unsigned complaint without contact",
        "maria",
        "case complain --text x --unsigned --out NEW",
        2,
        "ComplaintUnclear",
    ),
    ("a report by a creator", "ben", "case report CASE --out NEW", 6, "RoleMissing"),
    ("no such release", "maria", "refute ffffffffffffffff --reason x", 1, "UnknownRecord"),
    ("refuted by a creator", "ben", "refute 0123456789abcdef --reason x", 6, "RoleMissing"),
    ("the operator set by a creator", "ben", "operator set --name x", 6, "RoleMissing"),
    ("no name", "maria", "operator set --contact x", 2, "ProfileInvalid"),
    ("a wrong code", "maria", "operator set --name x --producer-code 000000000000000000000000000", 2, "NumberInvalid"),
    ("another version", "ben", "operator accept 99", 1, "UnknownRecord"),
    ("a file that is no witness", "maria", "ledger prove-extends --from FILE", 7, "ProofInvalid"),
    ("no file", "maria", "ledger prove-extends --from nowhere", 1, "FileMissing"),
    ("a witness named by an admin", "maria", "ledger add-witness x", 6, "RoleMissing"),
    ("no witness key", "otto", "ledger add-witness x", 7, "ProofInvalid"),
    ("nothing to keep", "otto", "ledger add-cosignature --in FILE", 7, "ProofInvalid"),
    ("no key to cosign", "otto", "ledger cosign --in FILE --key FILE --state NEW", 1, "WitnessKeyInvalid"),
    ("neither before nor confirm", "otto", "ledger prune", 2, "UsageUnclear"),
    ("too young", "otto", "ledger prune --before TODAY", 7, "RetentionTooShort"),
    ("pruned by an admin", "maria", "ledger prune --before 2020-01-01", 6, "RoleMissing"),
    ("no such proposal", "maria", "ledger prune --confirm 0", 7, "PruneRefused"),
]


@pytest.mark.parametrize(
    ("name", "words", "code", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refusals_have_their_code(
    signet: Callable[..., Answer], tmp_path: Path, name: str, words: str, code: int, error: str
) -> None:
    """Each refusal: its exit code, its name, two sentences in both languages, no file left."""
    case = opened(signet) if "CASE" in words.split() else ""
    (tmp_path / "FILE").write_text("hello\n")
    stand_in = {"CASE": case, "FILE": str(tmp_path / "FILE"), "NEW": str(tmp_path / "new")}
    stand_in["TODAY"] = date.today().isoformat()
    before = sorted(path.name for path in tmp_path.iterdir())
    filled = [stand_in.get(word, word) for word in words.split()]
    answer = signet(name, *filled, "--json")
    assert (answer.code, answer.error) == (code, error)
    assert answer.data["message"].endswith(".")
    assert answer.data["next_step"].endswith(".")
    after = {path.name for path in tmp_path.iterdir()} - {"new.lock"}
    assert after == set(before)
    chinese = signet(name, *filled, "--json", "--lang", "zh-CN")
    assert chinese.data["message"] != answer.data["message"]


def test_a_case_goes_its_way(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """Opened, assigned, decided with a suspension, appealed, overturned by another reviewer, reported."""
    case = opened(signet)
    assert [row["id"] for row in map(json.loads, signet("ben", "case", "list", "--json").out.splitlines())] == [case]
    assert signet("otto", "case", "list", "--json").out == ""
    assert signet("rita", "case", "assign", case, "rita", "--json").data["assignee"] == "rita"
    until = (date.today() + timedelta(days=7)).isoformat()
    measure = ["--measure", "suspend", "--reason", "no-consent", "--until", until]
    decided = signet("rita", "case", "decide", case, "upheld", "--text", "no consent", *measure, "--json")
    assert (decided.data["state"], decided.data["measure"]) == ("decided", "suspend")
    listed = signet("ben", "case", "sanctions", "--account", "ben", "--json").data
    assert (listed["measure"], listed["reason"], listed["case_id"]) == ("suspend", "no consent", case)
    appeal = signet("ben", "case", "appeal", case, "--text", "I had it", "--json").data
    assert appeal["appeal_of"] == case
    again = signet("rita", "case", "decide", appeal["id"], "upheld", "--text", "x", "--json")
    assert (again.code, again.error) == (6, "SameReviewer")
    assert signet("rolf", "case", "decide", appeal["id"], "upheld", "--text", "shown", "--json").code == 0
    shown = signet("rolf", "case", "show", case)
    assert "closed" in shown.out
    assert "no consent" in shown.out
    pack = signet("rolf", "case", "report", case, "--out", tmp_path / "pack", "--json").data
    assert Path(pack["pdf"]).read_bytes().startswith(b"%PDF-")
    assert json.loads(Path(pack["json"]).read_bytes())["case"]["id"] == case
    refused = signet("rolf", "case", "report", case, "--out", tmp_path / "pack", "--json")
    assert (refused.code, refused.error) == (11, "TargetExists")


@pytest.mark.parametrize(
    ("out", "said", "error"),
    [
        ("n" * 300, "It is me.", (11, "NotWritable")),
        (".", "It is me.", (11, "NotWritable")),
        ("there.json", "It is me.", (11, "TargetStays")),
        ("dangling.json", "It is me.", (11, "TargetStays")),
        ("new.json", "It is \udcff me.", (2, "UsageUnclear")),
    ],
)
@pytest.mark.parametrize("signed", [True, False])
def test_a_complaint_that_cannot_be_written_is_refused(
    signet: Callable[..., Answer], tmp_path: Path, out: str, said: str, error: tuple[int, str], signed: bool
) -> None:
    """Names that are none, names that are taken, and bytes that are no text: a sentence, and nothing is written."""
    (tmp_path / "there.json").write_text("mine")
    (tmp_path / "dangling.json").symlink_to("absent")
    way = () if signed else ("--unsigned", "--contact", "me")
    target = out if out == "." else str(tmp_path / out)
    refused = signet("ben", "case", "complain", "--text", said, "--out", target, *way, "--json")
    assert (refused.code, refused.error) == error
    assert sorted(one.name for one in tmp_path.iterdir() if one.name.endswith(".json")) == [
        "dangling.json",
        "there.json",
    ]
    assert (tmp_path / "there.json").read_text() == "mine"


@pytest.mark.parametrize("out", ["/", ".", ""])
def test_a_folder_is_no_name_of_a_report(signet: Callable[..., Answer], out: str) -> None:
    """Nor of a notice."""
    report = signet("rolf", "case", "report", "cas-0123456789", "--out", out, "--json")
    notice = signet("maria", "refute", RELEASE, "--reason", "It is not so.", "--out", out, "--json")
    assert [(one.code, one.error) for one in (report, notice)] == [(11, "NotWritable")] * 2


def test_a_complaint_from_outside(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """Written signed without an account, taken in once, decided by a reviewer."""
    out = tmp_path / "complaint.json"
    words = ["--category", "my likeness", "--release", RELEASE, "--text", "this is me", "--out", out]
    assert signet("ben", "case", "complain", *words, "--json").data["signed"] is True
    made = signet("maria", "case", "import", out, "--json").data
    assert (made["kind"], made["account"], made["release"]) == ("complaint", "ben", RELEASE)
    again = signet("maria", "case", "import", out, "--json")
    assert (again.code, again.error) == (1, "ComplaintKnown")


def test_a_refutation_is_published(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """The notice goes to two files, the list into the home, a second one is refused."""
    answer = signet("maria", "refute", RELEASE, "--reason", "不属实", "--out", tmp_path / "notice")
    assert "REFUTATION NOTICE" in answer.out
    assert json.loads((tmp_path / "notice.json").read_text())["release"] == RELEASE
    assert "辟谣公告" in (tmp_path / "notice.txt").read_text()
    assert (tmp_path / "home" / "refuted.json").is_file()
    assert signet("maria", "refute", RELEASE, "--reason", "x", "--json").error == "RefutedAlready"


def test_the_operator_is_shown(signet: Callable[..., Answer]) -> None:
    """Set, shown signed out, agreed to; About names all of it."""
    assert signet("maria", "operator", "show", "--json").data == {"operator": None}
    signet("maria", "operator", "set", "--name", "Studio", "--contact", "desk@studio.example", "--agreement")
    assert signet("ben", "operator", "accept", "1", "--json").data == {"accepted": "1"}
    about = signet("ben", "about", "--json").data
    assert about["operator"]["name"] == "Studio"
    assert "has to be accepted" in signet("ben", "about").out
    assert "Service agreement" in signet("ben", "operator", "agreement").out
    assert "服务协议" in signet("ben", "operator", "agreement", "--lang", "zh-CN").out
    text.set_language("en")


def test_a_second_machine_is_a_witness(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """Key, request, cosign, keep, extend; a second history is not signed; an old checkpoint proves today's log."""
    key, state, old = tmp_path / "desk.key", tmp_path / "desk.json", tmp_path / "old.txt"
    vkey = signet("otto", "ledger", "witness-key", "--name", "witness.example/desk", "--key", key, "--json").data[
        "vkey"
    ]
    assert key.stat().st_mode & 0o077 == 0
    assert signet("otto", "ledger", "add-witness", vkey, "--json").data == {"witness": "witness.example/desk"}
    signet("otto", "ledger", "checkpoint", "--out", old)
    log_key = json.loads((tmp_path / "home" / "keys.json").read_text())["public"]["ledger_vkey"]
    cosign = ["ledger", "cosign", "--key", key, "--state", state]
    refused = signet("otto", *cosign, "--in", old, "--json")
    assert (refused.code, refused.error) == (7, "WitnessRefused")
    signed = tmp_path / "signed.txt"
    assert signet("otto", *cosign, "--in", old, "--log-key", log_key, "--out", signed).code == 0
    assert (
        signet("otto", "ledger", "add-cosignature", "--in", signed, "--json").data["witness"] == "witness.example/desk"
    )
    size = int(old.read_text().splitlines()[1])
    opened(signet)
    signet("otto", "ledger", "checkpoint", "--out", tmp_path / "new.txt")
    bare = signet("otto", *cosign, "--in", tmp_path / "new.txt", "--json")
    assert bare.error == "WitnessNeedsProof"
    assert f"--from {size} " in bare.data["next_step"]
    signet("otto", "ledger", "consistency", "--from", size, "--out", tmp_path / "request.txt")
    assert signet("otto", *cosign, "--in", tmp_path / "request.txt").code == 0
    rolled = signet("otto", *cosign, "--in", old, "--json")
    assert (rolled.code, rolled.error) == (7, "WitnessRefused")
    shown = signet("otto", "ledger", "prove-extends", "--from", old, "--json").data
    assert (shown["kind"], shown["seen_size"]) == ("checkpoint", size)
    assert shown["size"] > size
    assert signet("otto", "ledger", "verify", "--json").data["verdict"] == "intact"


def test_pruning_takes_two(signet: Callable[..., Answer]) -> None:
    """An auditor proposes a day, a consent officer confirms it; here nothing is that old."""
    proposal = signet("otto", "ledger", "prune", "--before", "2020-01-01", "--json").data
    assert proposal["entries"] == 0
    done = signet("maria", "ledger", "prune", "--confirm", proposal["proposal"], "--json").data
    assert done == {"pruned": 0, "ranges": []}


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", {})
    if not children:
        yield path, command
    for name, child in children.items():
        yield from _commands(child, (*path, name))


def test_every_command_here_has_json_and_an_example() -> None:
    """The help of each command of this kind ends with an example, and each takes --json."""
    ours = [
        (path, command)
        for path, command in _commands(build())
        if path[0] in ("case", "refute", "operator")
        or (path[0] == "ledger" and path[1] not in ("verify", "show", "export"))
    ]
    assert len(ours) > 20
    for path, command in ours:
        assert "signet " + " ".join(path) in (command.epilog or ""), path
        assert any("--json" in parameter.opts for parameter in command.params), path
