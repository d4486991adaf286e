"""Spellings that try to slip past the review, and sentences that mean no harm; both made from fixed seeds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import resources
from compliance.review import Entry

REVIEW = Path(str(resources.__file__)).parent / "review"


def _simplified_to_traditional() -> dict[str, str]:
    pairs = (REVIEW / "traditional.txt").read_text(encoding="utf-8").partition("\n")[2].replace("\n", "")
    return {new: old for old, new in zip(pairs[::2], pairs[1::2], strict=True)}


def _syllables() -> dict[str, tuple[str, str]]:
    """Each hanzi with its syllable and all signs of that syllable."""
    lines = (REVIEW / "pinyin.txt").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split(" ") for line in lines]
    return {sign: (syllable, signs) for syllable, signs in rows for sign in signs}


TRADITIONAL = _simplified_to_traditional()
SYLLABLES = _syllables()
LEET = {"a": "4@", "e": "3", "i": "1!", "l": "1|", "o": "0", "s": "5$", "t": "7", "b": "8", "g": "9"}
CYRILLIC = dict(zip("aeopcyxik", "аеорсухік", strict=True))
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\ufe0f"
MARKS = "\u0301\u0336\u0308\u20dd"
EMOJI = "💀🔥❤🌸"


def is_hanzi(sign: str) -> bool:
    """Whether a sign is one of the common hanzi."""
    return "\u4e00" <= sign < "\ua000"


def _between(text: str, dice: random.Random, signs: str, chance: float = 1.0) -> str:
    return "".join(one + (dice.choice(signs) if dice.random() < chance else "") for one in text[:-1]) + text[-1]


def zero_width(text: str, dice: random.Random) -> str:
    """Signs without width in half of the gaps."""
    return _between(text, dice, ZERO_WIDTH, 0.5)


def marks(text: str, dice: random.Random) -> str:
    """Combining marks on most letters."""
    return _between(text, dice, MARKS, 0.6)


def spaced(text: str, dice: random.Random) -> str:
    """A space between all letters, and three between words."""
    return "   ".join(" ".join(word) for word in text.split(" "))


def some_spaces(text: str, dice: random.Random) -> str:
    """One space somewhere: between hanzi, or within the whole phrase."""
    at = dice.randrange(1, len(text))
    return f"{text[:at]} {text[at:]}"


def punctuated(text: str, dice: random.Random) -> str:
    """Signs within words and between hanzi."""
    return _between(text, dice, "*.-_~/·", 0.5)


def with_emoji(text: str, dice: random.Random) -> str:
    """Pictures between the letters."""
    return _between(text, dice, EMOJI, 0.4)


def full_width(text: str, dice: random.Random) -> str:
    """Full-width letters and spaces."""
    return "".join("\u3000" if one == " " else chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def capitals(text: str, dice: random.Random) -> str:
    """Capitals at random."""
    return "".join(dice.choice((one.upper(), one)) for one in text)


def styled(text: str, dice: random.Random) -> str:
    """Mathematical bold letters."""
    return "".join(chr(0x1D41A + ord(one) - 97) if "a" <= one <= "z" else one for one in text)


def look_alike(text: str, dice: random.Random) -> str:
    """Cyrillic letters that are drawn alike."""
    return "".join(CYRILLIC.get(one, one) for one in text)


def leet(text: str, dice: random.Random) -> str:
    """About two in five letters that have one become a digit or sign; strokes within one phrase are alike."""
    stroke = {"i": "1!", "l": ""} if dice.random() < 0.5 else {"i": "", "l": "1|"}
    table = {**LEET, **stroke}
    return "".join(dice.choice(table[o]) if table.get(o) and dice.random() < 0.4 else o for o in text)


def repeated(text: str, dice: random.Random) -> str:
    """Letters doubled and more."""
    return "".join(one * dice.choice((1, 1, 2, 3, 4)) if one.isalpha() else one for one in text)


def traditional(text: str, dice: random.Random) -> str:
    """Traditional characters."""
    return "".join(TRADITIONAL.get(one, one) for one in text)


def pinyin_spaced(text: str, dice: random.Random) -> str:
    """Syllables with spaces."""
    return " ".join(SYLLABLES[one][0] for one in text)


def pinyin_joined(text: str, dice: random.Random) -> str:
    """Syllables in one."""
    return "".join(SYLLABLES[one][0] for one in text)


def pinyin_toned(text: str, dice: random.Random) -> str:
    """Syllables with the digits of tones."""
    return "".join(SYLLABLES[one][0] + dice.choice("1234") for one in text)


def pinyin_mixed(text: str, dice: random.Random) -> str:
    """Every second hanzi as its syllable."""
    return "".join(SYLLABLES[one][0] if dice.random() < 0.5 else one for one in text)


def homophones(text: str, dice: random.Random) -> str:
    """Every second hanzi by one that sounds alike."""
    return "".join(dice.choice(SYLLABLES[one][1]) if dice.random() < 0.5 else one for one in text)


BOTH = (zero_width, marks, spaced, some_spaces, punctuated, with_emoji, full_width, repeated)
LATIN = (capitals, styled, look_alike, leet)
HANZI = (traditional,)
SPOKEN = (pinyin_spaced, pinyin_joined, pinyin_toned, pinyin_mixed, homophones)

Spelling = Callable[[str, random.Random], str]


def evasions(entries: tuple[Entry, ...]) -> Iterator[tuple[Entry, str, str]]:
    """(entry, name of the spelling, sentence) for every entry in every spelling that changes it."""
    dice = random.Random(20261122)
    for entry in entries:
        hanzi = any(map(is_hanzi, entry.text))
        ways: tuple[Spelling, ...] = BOTH + (HANZI if hanzi else LATIN)
        if hanzi and len(entry.text) >= 4:
            ways += SPOKEN
        for way in ways:
            spelled = way(entry.text, dice)
            # Some phrases have no other spelling of that kind.
            if spelled == entry.text:
                continue
            if hanzi:
                yield entry, way.__name__, f"请帮我做一个{spelled}，要高清的。"
            else:
                yield entry, way.__name__, f"A photo, please: {spelled} - in high detail."


# --- sentences that mean no harm -------------------------------------------------------------------------------------

TRAPS = (
    "The therapist met the rapist's lawyer in Scunthorpe.",
    "Children nude-coloured ballet shoes on a shelf",
    "The child, porn-free internet and a parent's guide",
    "A child. Pornography laws differ between countries.",
    "They kill, you know, the mood.",
    "I will skill you up in a week.",
    "I will kill. You will see how well this bug spray works.",
    "Will killer whales (you know them) return?",
    "I will kil0 you not: 5 kilo of flour.",
    "That bombed; threat calls for a plan B.",
    "A bomb. Threat called off, said the newspaper.",
    "Assess the class assignment on Sussex grass.",
    "The naked mole rat and its child",
    "A naked flame, children playing far away",
    "Cocktail party in Penistone, Middlesex",
    "Undress this salad with less oil",
    "Remove her from the mailing list; clothes are on sale.",
    "Take off, her clothes dryer works in this photo.",
    "The judge impersonates nobody; a police officer waves.",
    "Transfer your savings account to the safe bank branch.",
    "A judge: impersonate a singer, said the game card.",
    "Cut your hair, throat lozenges are in the drawer.",
    "Burn your old letters, house by house we tidy up.",
    "Expert exchange, pen island, who represents",
    "1 w1n 2 4ll, 50 of 100, 3 + 4 = 7, 1!",
    "Preteen reading list: nudes in art history come later.",
    "Underage: sex education starts at 12 in this school.",
    "Revenge: porn is not the topic of this play about Orestes.",
    "call me on 138 0013 8000, code 4004, room 5017",
    "禁止上传涉及儿童、色情、暴力的内容。",
    "儿童。色情片导演的传记另见第三章。",
    "保护儿童，色情信息一律拦截。",
    "我要杀了这盘棋，你看好了。",
    "我要，杀了你就输了这一局。",
    "小学生，裸照明灯下的标本很清楚。",
    "他转到安全，账户那一页。",
    "警方提醒：转账前请核实账户。",
    "这道菜要命的辣，你敢吃吗？",
    "我会杀毒软件，你的电脑我来修。",
    "全家福里的你真好看。",
    "幼儿园的小朋友在画画。",
    "合成照片时请注明人工智能生成。",
    "换脸之前请先取得本人同意。",
    "偷得浮生半日闲。",
    "法官和检察官在法庭上。",
    "公安局门口的民警在指挥交通。",
    "伪装成树叶的蝴蝶。",
    "炸鸡店的电话是多少？",
    "烧了一壶水，你家里有茶叶吗？",
    "往你脸上涂一点防晒霜。",
    "未成年人保护法第三条。",
    "客服退款流程说明。",
    "领导转账给供应商的审批单。",
    "小强坚食品公司的广告。",
)

_EN = {
    "a": [
        "an oil painting of",
        "a photo of",
        "a pencil drawing of",
        "a portrait of",
        "a short video of",
        "a poster with",
    ],
    "b": ["a fisherman", "two old friends", "a violin player", "a news reader", "a mother and her child", "a nurse"],
    "c": [
        "in a harbour at sunset",
        "under soft studio light",
        "on a snowy street",
        "with a red umbrella",
        "in 35 mm film",
    ],
    "d": [
        "smiling at the camera.",
        "8k, high detail!",
        "in the style of 1920s prints.",
        "reading a letter…",
        "(no text)",
    ],
}
_ZH = {
    "a": ["一张", "请生成一张", "帮我画一幅", "给客户做一段", "用油画风格画一张"],
    "b": [
        "老渔民在港口的照片",
        "女主播播报新闻的画面",
        "爷爷奶奶和孩子的全家福",
        "小提琴手的肖像",
        "医生在医院走廊的画面",
    ],
    "c": ["，光线柔和", "，背景是雪山", "，戴一顶红帽子", "，三十五毫米胶片质感", "，二十世纪二十年代的风格"],
    "d": ["，对着镜头微笑。", "，高清！", "，不要文字。", "，配上轻快的音乐。", "，时长10秒。"],
}


def harmless() -> list[str]:
    """At least a thousand different sentences: prompts as people write them, and the traps."""
    dice = random.Random(7)
    made = set(TRAPS)
    while len(made) < 1200:
        table, glue = (_EN, " ") if dice.random() < 0.5 else (_ZH, "")
        made.add(glue.join(dice.choice(table[part]) for part in "abcd"))
    return sorted(made)
