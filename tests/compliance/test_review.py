"""Review of texts: refusals, spellings, harmless sentences."""

from __future__ import annotations

import base64
import copy
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance import review_text as text_module
from compliance.content import ContentHit
from compliance.errors import ContentBlocked, ExitCode, ReviewListDamaged, ReviewUnavailable
from compliance.review import CATEGORIES, LIST_KEY, ReviewLists, load_lists, refuse_stops, review_text, sign_list
from compliance.review_text import forms, readings
from tests.compliance.dangers import ASKED, HARMLESS, STOPPED
from tests.compliance.spellings import REVIEW, TRAPS, evasions, harmless

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PLAIN: dict[str, Any] = {
    "id": "own",
    "version": "1",
    "language": "en",
    "owner": "A studio",
    "source": "Written by hand",
    "entry_rule": "Only examples",
    "procedure": "Two persons",
    "entries": [
        {"rule": "a", "text": "purple elephant", "category": "threat", "severity": "case"},
        {"rule": "b", "text": "紫色大象", "category": "fraud", "severity": "case"},
        {"rule": "c", "text": "yellow bee", "category": "minors", "severity": "stop"},
        {"rule": "d", "text": "会飞象", "category": "threat", "severity": "case"},
        {"rule": "e", "text": "acorn", "category": "threat", "severity": "case"},
        {"rule": "f", "text": "点灯人", "category": "threat", "severity": "case"},
        {"rule": "g", "text": "sea boat", "category": "threat", "severity": "case"},
    ],
}


@pytest.fixture(scope="module")
def shipped() -> ReviewLists:
    """The lists of the program."""
    return load_lists(REVIEW)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> ReviewLists:
    """A small list of harmless phrases."""
    folder = tmp_path_factory.mktemp("lists")
    (folder / "own.json").write_text(json.dumps(sign_list(PLAIN, KEY)))
    return load_lists(folder, [KEY.public_key()])


def found(text: str, lists: ReviewLists) -> list[tuple[str, str]]:
    """Rule and matched text of every hit."""
    return [(hit.rule, hit.matched) for hit in review_text(text, lists)]


# --- lists that are not to be trusted --------------------------------------------------------------------------------

Damage = Callable[[dict[str, Any]], Any]


def _set(path: str, value: Any) -> Damage:
    def damage(data: dict[str, Any]) -> None:
        *way, last = path.split("/")
        for step in way:
            data = data[int(step) if step.isdigit() else step]
        data[last] = value

    return damage


DAMAGES: dict[str, Damage] = {
    "a word of an entry changed": _set("entries/0/text", "purple elephants"),
    "a stop made a case": _set("entries/2/severity", "case"),
    "an entry taken out": lambda data: data["entries"].pop(),
    "entries swapped": lambda data: data["entries"].reverse(),
    "an entry added": lambda data: data["entries"].append(dict(data["entries"][0], rule="z")),
    "another version": _set("version", "2"),
    "another owner": _set("owner", "Somebody"),
    "a field added": _set("more", 1),
    "a field taken out": lambda data: data.pop("procedure"),
    "no signature": lambda data: data.pop("signature"),
    "a signature of text": _set("signature", "good"),
    "a signature of nothing": _set("signature/value", ""),
    "a signature that is no base64": _set("signature/value", "é"),
    "a signature of another text": _set("signature/value", base64.b64encode(KEY.sign(b"x")).decode()),
    "another algorithm": _set("signature/algorithm", "none"),
    "an unknown key": _set("signature/key", "00" * 32),
    "a key that is none": _set("signature/key", None),
    "entries that are none": _set("entries", {}),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_changed_list_is_refused(damage: Damage, tmp_path: Path) -> None:
    """Whatever is changed in a signed list, it is not used, and neither is any other of the folder."""
    (tmp_path / "good.json").write_text(json.dumps(sign_list({**PLAIN, "id": "good"}, KEY)))
    data = copy.deepcopy(sign_list(PLAIN, KEY))
    damage(data)
    (tmp_path / "own.json").write_text(json.dumps(data))
    with pytest.raises(ReviewListDamaged) as refused:
        load_lists(tmp_path, [KEY.public_key()])
    assert refused.value.data["list"] == "own.json"


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"id": 1, "id": 2}', b"NaN", b"1e999"],
)
def test_a_file_that_is_no_list_is_refused(content: bytes, tmp_path: Path) -> None:
    """Broken JSON, other JSON and JSON too deep to read."""
    (tmp_path / "own.json").write_bytes(content)
    with pytest.raises(ReviewListDamaged):
        load_lists(tmp_path, [KEY.public_key()])


def test_a_field_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Of two values one would be signed and the other might be read."""
    text = json.dumps(sign_list(PLAIN, KEY))
    (tmp_path / "own.json").write_text(text.replace("{", '{"version": "9", ', 1))
    with pytest.raises(ReviewListDamaged):
        load_lists(tmp_path, [KEY.public_key()])


def test_a_list_of_a_stranger_is_refused(tmp_path: Path) -> None:
    """A good signature of a key that is not trusted is no signature; the shipped lists' key signs nothing else."""
    (tmp_path / "own.json").write_text(json.dumps(sign_list(PLAIN, OTHER_KEY)))
    for keys in ([KEY.public_key()], [LIST_KEY], []):
        with pytest.raises(ReviewListDamaged):
            load_lists(tmp_path, keys)
    assert load_lists(tmp_path, [KEY.public_key(), OTHER_KEY.public_key()]).info[0].id == "own"


def test_no_list_at_all_is_no_review(tmp_path: Path) -> None:
    """An empty folder, and one that is not there, stop the work instead of passing everything."""
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ReviewUnavailable):
            load_lists(folder, [KEY.public_key()])


def test_a_list_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Two versions of one list: nobody knows which holds."""
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps(sign_list(PLAIN, KEY)))
    with pytest.raises(ReviewListDamaged):
        load_lists(tmp_path, [KEY.public_key()])


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"category": "politics"}, "unknown category"),
        ({"severity": "none"}, "unknown category or severity"),
        ({"category": "minors", "severity": "pass"}, "may not be less"),
        ({"category": "minors", "severity": "case"}, "may not be less"),
        ({"text": "kill"}, "too short"),
        ({"text": "aaaaaaaaa"}, "too short"),
        ({"text": "杀"}, "too short"),
        ({"text": ""}, "too short"),
        ({"text": "\u200b\u200b!!"}, "too short"),
        ({"text": "long phrase " * 9}, "too long"),
        ({"rule": "b"}, "twice"),
        ({"more": "x"}, "one too many"),
        ({"text": 7}, "one too many"),
    ],
)
def test_nobody_signs_a_list_against_the_rules(entry: dict[str, Any], reason: str) -> None:
    """Entries that would find ordinary words, or belong to no category, are refused before they are signed."""
    plain = copy.deepcopy(PLAIN)
    plain["entries"][0].update(entry)
    with pytest.raises(ReviewListDamaged) as refused:
        sign_list(plain, KEY)
    assert reason in str(refused.value)


@pytest.mark.parametrize("table", ["traditional.txt", "pinyin.txt"])
def test_a_changed_table_stops_the_review(table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table with one sign less would let spellings through: it is refused by its digest."""
    shutil.copytree(REVIEW, tmp_path / "review")
    data = (REVIEW / table).read_bytes()
    (tmp_path / "review" / table).write_bytes(data[:-4] + data[-1:])
    monkeypatch.setattr(text_module.resources, "files", lambda package: tmp_path)
    text_module._tables.cache_clear()
    try:
        with pytest.raises(ReviewListDamaged):
            readings("x")
    finally:
        monkeypatch.undo()
        text_module._tables.cache_clear()
    assert readings("x") == ("x",)


# --- hits ------------------------------------------------------------------------------------------------------------


def test_a_stop_names_rule_category_and_place_alone(own: ReviewLists) -> None:
    """The error says by which rule and where; the user's words are not in it."""
    hits = review_text("a YELLOW b33 and a purple elephant", own)
    assert [(hit.rule, hit.severity) for hit in hits] == [("c", "stop"), ("a", "case")]
    with pytest.raises(ContentBlocked) as refused:
        refuse_stops(hits, "prompt")
    told = {"rule": "own/c", "category": "minors", "place": "prompt", "score": 1.0, "start": 2, "case": "-"}
    assert refused.value.data == told
    assert refused.value.code is ExitCode.BLOCKED
    assert "b33" not in f"{refused.value!r}"
    assert refuse_stops(hits[1:], "prompt") == (ContentHit("own/a", "threat", "case", "prompt", 1.0, 19),)


def test_a_hit_names_list_and_place(own: ReviewLists) -> None:
    """A hit carries rule, list, version, category and its slice of the original text."""
    (hit,) = review_text("ein\u200b Purp\u0301le—ELEPHANT!", own)
    assert (hit.rule, hit.list_id, hit.list_version, hit.category) == ("a", "own", "1", "threat")
    assert hit.matched == "Purp\u0301le—ELEPHANT"
    assert (hit.start, hit.end) == (5, 21)


@pytest.mark.parametrize(
    "text",
    [
        "purple elephant",
        "PURPLE\n\telephant",
        "purpleelephant",
        "purple-elephant.",
        "p.u.r.p.l.e e.l.e.p.h.a.n.t",
        "p, u, r, p, l, e, e, l, e, p, h, a, n, t",
        "purp le eleph ant",
        "puuurple   elephanttt",
        "purple elephant turtle",
        "help, purple elephant tree",
        "pur\u200dple ele\u00adphant",
        "ｐｕｒｐｌｅ　ｅｌｅｐｈａｎｔ",
        "𝓅𝓊𝓇𝓅𝓁𝑒 𝔢𝔩𝔢𝔭𝔥𝔞𝔫𝔱",
        "🅟🅤🅡🅟🅛🅔 🅴🅻🅴🅿🅷🅰🅽🆃",
        "рurрlе еlерhаnt",
        "purp1e e1eph4n7",
        "我看见purple elephant了",
        "紫色大象",
        "我看见紫 色 大 象。",
        "紫*色*大*象",
        "紫，色，大，象",
        "紫💀色大象",
        "子色大象",
        "zi se da xiang",
        "zisedaxiang",
        "zi4se4da4xiang4",
        "zǐ sè dà xiàng",
        "紫se大xiang",
        "会飞象",
        "會飛象",
        "sea b0at",
        "53a boat",
        "点灯人",
    ],
)
def test_a_spelling_is_found(text: str, own: ReviewLists) -> None:
    """Each way to spell one phrase is found once."""
    assert len(found(text, own)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "purple elephants",  # another word: the list says which words
        "apurple elephant",
        "purple, elephant",
        "purple. Elephant",
        "purple. 紫色 elephant",
        "purple and elephant",
        "elephant purple",
        "紫色，大象",
        "紫色。大象",
        "紫色的大象",
        "yel low",
        "yelow bee",  # a letter too few is another word
        "534 8047 x1",  # digits alone are a number
        "㍘灯人",  # one sign for several is not cut in two
        "hui fei xiang",  # three syllables are too many things
        "回飞像",
        "1337 7331 50 100",
    ],
)
def test_what_is_no_spelling_is_not_found(text: str, own: ReviewLists) -> None:
    """Other words, other order, two sentences."""
    assert found(text, own) == []


def test_short_words_are_not_put_together(tmp_path: Path) -> None:
    """A phrase below eight letters is not made of the end of one word and the beginning of the next."""
    entry = {"rule": "a", "text": "scorn", "category": "threat", "severity": "case"}
    (tmp_path / "own.json").write_text(json.dumps(sign_list({**PLAIN, "entries": [entry]}, KEY)))
    lists = load_lists(tmp_path, [KEY.public_key()])
    assert found("disc orn, sco rn, unscorned scorned", lists) == []
    assert found("sc.orn s c o r n s corn", lists) == [("a", "sc.orn"), ("a", "s c o r n"), ("a", "s corn")]


def test_the_shipped_lists_say_what_the_law_asks(shipped: ReviewLists) -> None:
    """Both languages, every category, and for each list its owner, source, rule of entry and procedure."""
    assert {info.language for info in shipped.info} == {"en", "zh-CN"}
    for info in shipped.info:
        mine = [entry for entry in shipped.entries if entry.list_id == info.id]
        assert {entry.category for entry in mine} == set(CATEGORIES)
        assert len(mine) == info.entries
        assert min(map(len, (info.owner, info.source, info.entry_rule, info.procedure))) > 20
    assert {entry.severity for entry in shipped.entries if entry.category == "minors"} == {"stop"}


def test_every_shipped_entry_is_found_as_it_stands(shipped: ReviewLists) -> None:
    """No entry is dead."""
    for entry in shipped.entries:
        is_found = (entry.rule, entry.text) in found(f"x {entry.text} y", shipped)
        assert is_found is (entry.severity != "pass"), entry


@pytest.mark.parametrize("text", STOPPED)
def test_who_asks_for_the_way_to_do_harm_is_stopped(text: str, shipped: ReviewLists) -> None:
    """Weapons, self-harm and harm to children, in both languages and some spellings."""
    with pytest.raises(ContentBlocked):
        refuse_stops(review_text(text, shipped), "prompt")


@pytest.mark.parametrize("text", ASKED)
def test_what_news_says_too_is_for_a_reviewer(text: str, shipped: ReviewLists) -> None:
    """It is found, and nothing is stopped."""
    assert refuse_stops(review_text(text, shipped), "prompt") != ()


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_neighbours_pass(text: str, shipped: ReviewLists) -> None:
    """The same words in another meaning, and hanzi that sound like them."""
    assert found(text, shipped) == []


def test_a_pass_takes_away_what_it_holds_and_nothing_else(tmp_path: Path) -> None:
    """Only hits of its own list and category that it shares letters with, and never a category of hard stops."""
    entries = [
        {"rule": "a", "text": "purple elephant", "category": "weapons", "severity": "stop"},
        {"rule": "b", "text": "elephant seal", "category": "weapons", "severity": "pass"},
        {"rule": "c", "text": "purple elephant seal", "category": "threat", "severity": "stop"},
    ]
    (tmp_path / "own.json").write_text(json.dumps(sign_list({**PLAIN, "entries": entries}, KEY)))
    other = [{"rule": "a", "text": "purple elephant", "category": "weapons", "severity": "stop"}]
    (tmp_path / "two.json").write_text(json.dumps(sign_list({**PLAIN, "id": "two", "entries": other}, KEY)))
    lists = load_lists(tmp_path, [KEY.public_key()])
    rules = [(hit.list_id, hit.rule) for hit in review_text("elephant seal, purple elephant seal", lists)]
    assert rules == [("two", "a"), ("own", "c")]
    hits = review_text("purple elephant seal and a purple elephant", lists)
    assert [(hit.rule, hit.start) for hit in hits if hit.list_id == "own"] == [("c", 0), ("a", 27)]
    with pytest.raises(ReviewListDamaged) as refused:
        sign_list({**PLAIN, "entries": [{**entries[1], "category": "minors"}]}, KEY)
    assert "may not be less" in str(refused.value)


def test_spellings_are_found_and_harmless_sentences_are_not(shipped: ReviewLists) -> None:
    """At least 95 of 100 generated evasions are found; at most 1 of 100 harmless sentences is."""
    tried: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    wanted = tuple(entry for entry in shipped.entries if entry.severity != "pass")
    for entry, way, sentence in evasions(wanted):
        tried[way] += 1
        missed[way] += not any(
            (hit.rule, hit.list_id) == (entry.rule, entry.list_id) for hit in review_text(sentence, shipped)
        )
    assert tried.total() >= 1000
    assert missed.total() <= 0.05 * tried.total(), missed
    assert all(missed[way] <= 0.15 * tried[way] for way in tried), missed
    sentences = harmless()
    assert len(sentences) >= 1000
    alarms = [sentence for sentence in sentences if review_text(sentence, shipped)]
    # Four hanzi that sound like an entry are found on purpose; that is the one trap in which the review is caught.
    assert [sentence for sentence in alarms if sentence in TRAPS] == ["小强坚食品公司的广告。"]
    assert len(alarms) <= 0.01 * len(sentences)


_WORDS = (
    "purple",
    "elephant",
    "紫",
    "色",
    "大象",
    "yellow",
    "bee",
    "会飞象",
    "會",
    "zi",
    "xiang4",
    "1",
    "!",
    "@",
    "e",
    "E",
)
_ODD = (
    " ",
    "  ",
    "\n",
    ".",
    ". ",
    "，",
    "*",
    "\u200b",
    "\u0301",
    "\ud800",
    "\x00",
    "💀",
    "ﬁ",
    "㍘",
    "½",
    "ⅷ",
    "ß",
    "Ａ",
)
_pieces = st.sampled_from(_WORDS + _ODD)
_texts = st.lists(_pieces | st.text(max_size=3), max_size=30).map("".join)


@given(_texts)
def test_a_span_reads_as_its_entry(own: ReviewLists, text: str) -> None:
    """Each hit lies in the original text, and its slice alone reads as the entry it names."""
    entries = {entry.rule: entry for entry in own.entries}
    for hit in review_text(text, own):
        assert 0 <= hit.start < hit.end <= len(text)
        assert hit.matched == text[hit.start : hit.end]
        wanted = {form.letters for form in forms(entries[hit.rule].text, spoken=True)}
        assert wanted & set(readings(hit.matched))


@given(_texts, st.sampled_from(["purple elephant", "紫色大象", "PURP1E elephant"]), _texts)
def test_a_phrase_is_found_in_any_company(own: ReviewLists, before: str, phrase: str, after: str) -> None:
    """Whatever stands in the sentences around it hides nothing."""
    assert found(f"{before}\n。\n{phrase}\n。\n{after}", own) != []


@pytest.mark.parametrize(
    "text",
    [
        "purple elephant " * 6000,
        "l" * 100_000,
        "purple elephan" * 7000,
        "p u r p l e " * 9000,
        "紫色大" * 33_000,
        "\ud800\udfff" * 50_000,
        "\u0301" * 100_000,
        "💀\u200d🔥" * 33_000,
        "".join(map(chr, range(0x3000))) * 8,
        "ﷺ㍿½" * 30_000,
        "!1|" * 33_000,
        "ac" + "o " * 50_000 + "rn",
    ],
    ids=lambda text: ascii(text[:6]),
)
def test_long_and_odd_texts_are_read(text: str, own: ReviewLists) -> None:
    """A hundred thousand signs of any kind are answered."""
    assert len(found(text, own)) >= (text[:15] == "purple elephant")


def test_every_code_point_is_read(own: ReviewLists) -> None:
    """No sign of Unicode, surrogates among them, makes the review fail or swallows the phrase after it."""
    everything = "".join(map(chr, range(0x110000)))
    assert ("a", "purple elephant") in found(everything + "\n purple elephant", own)


@given(st.text())
def test_any_text_is_answered(own: ReviewLists, text: str) -> None:
    """Any string has readings and hits."""
    assert isinstance(review_text(text, own), tuple)
