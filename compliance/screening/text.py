"""
Names as Latin letters: one spelling for what is written differently, in whatever script it came.

Small tables, and Unicode's own names of letters for the scripts without one ("KATAKANA LETTER BA" is "ba"). Chinese
characters have no reading here and stay as they are: they match themselves. Source: docs/screening.md, "How names are compared".
"""

# ruff: noqa: E501 (tables read better unbroken)
from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

# Scripts that leave vowels out, or inside the consonant: what comes from them is compared without vowels too.
_UNVOWELLED: Final = tuple("KHMER THAI LAO MYANMAR DEVANAGARI BENGALI GURMUKHI GUJARATI TAMIL TELUGU KANNADA MALAYALAM SINHALA".split())
ABJADS: Final = ("ARABIC", "HEBREW", "SYRIAC", *_UNVOWELLED)

_LETTERS: Final[dict[str, str]] = {
    # Latin letters that do not fall apart into a letter and a mark
    **dict(zip("øłđıßæœþðħŋəĸſŧ", ("o", "l", "d", "i", "ss", "ae", "oe", "th", "d", "h", "ng", "a", "k", "s", "t"), strict=True)),
    # Cyrillic, its Ukrainian, Belarusian, Serbian, Macedonian and Central Asian letters
    **dict(zip("абвгдежзийклмнопрстуфхцчшщъыьэюя", "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch ' y ' e yu ya".split(), strict=True)),
    **dict(zip("ёєіїґўђјљњћџѓќѕәғқңөұүһӣӯҷҳҡҙҫ", "e e i i g u d j l n c dz g k dz a g k n o u u h i u j h k z s".split(), strict=True)),
    # Greek
    **dict(zip("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split(), strict=True)),
    # Arabic, Persian, Urdu, Pashto, Kurdish
    **dict(
        zip(
            "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءپچژگکیۀەٹڈڑںھہےڤۆێټډړښږڼئؤ",
            "a b t th j h kh d dh r z s sh s d t z a gh f q k l m n h w y a a . p ch zh g k y e e t d r n h h e v o e t d r sh g n y w".split(),
            strict=True,
        )
    ),
    # Hebrew
    **dict(zip("אבגדהוזחטיכךלמםנןסעפףצץקרשת", "a b g d h v z h t y k k l m m n n s a p p ts ts k r sh t".split(), strict=True)),
    # Georgian and Armenian
    **dict(zip("აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ", "a b g d e v z t i k l m n o p zh r s t u p k gh q sh ch ts dz ts ch kh j h".split(), strict=True)),
    **dict(zip("աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆև", "a b g d e z e e t zh i l kh ts k h dz gh ch m y n sh o ch p j r s v t r ts v p k o f ev".split(), strict=True)),
}  # fmt: skip
# What the marks of these scripts leave out, and what stands for them in common names; whole words, without marks.
_WORDS: Final[dict[str, str]] = {
    "محمد": "muhammad", "احمد": "ahmad", "محمود": "mahmud", "علي": "ali", "علی": "ali", "حسن": "hasan", "حسين": "husayn", "حسین": "husayn",
    "عبد": "abd", "الله": "allah", "عبدالله": "abdallah", "عمر": "umar", "عثمان": "uthman", "خالد": "khalid", "يوسف": "yusuf", "یوسف": "yusuf",
    "ابراهيم": "ibrahim", "ابراهیم": "ibrahim", "اسماعيل": "ismail", "اسماعیل": "ismail", "بن": "bin", "ابن": "ibn", "ابو": "abu", "ابي": "abi", "ام": "umm",
    "ال": "al", "سلمان": "salman", "صالح": "salih", "سعيد": "said", "سعید": "said", "مصطفى": "mustafa", "مصطفی": "mustafa", "مهدی": "mahdi", "مهدي": "mahdi",
    "رضا": "rida", "حسنی": "hasani", "فاطمه": "fatima", "فاطمة": "fatima", "مریم": "maryam", "مريم": "maryam",
}  # fmt: skip
_APOSTROPHES: Final = re.compile("['’‘`´ʻʼʿʾ′\u02bd]")
_JOINERS: Final = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad\u0640]")
_HANGUL_INITIALS: Final = "k kk n t tt r m p pp s ss . ch tch ch k t p h".replace(".", "-").split()
_HANGUL_VOWELS: Final = "a ae ya yae o e yo ye o wa wae oe yo u wo we wi yu u ui i".split()
_HANGUL_FINALS: Final = "- k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split()
_LETTER_NAME: Final = re.compile(r"(?:LETTER|VOWEL SIGN|SYLLABLE|SMALL|VOWEL) ((?:SMALL )?[A-Z]+(?: [A-Z]+)?)$")
_THAI: Final = re.compile("(?:THAI CHARACTER|LAO LETTER) ([A-Z]+)(?: ([A-Z]+))?")
_MATRA: Final = re.compile(r"VOWEL SIGN ([A-Z]+)")


def _hangul(code: int) -> str:
    """A syllable falls apart by arithmetic; spelled as names from Korea usually are (McCune-Reischauer without its marks)."""
    index = code - 0xAC00
    parts = _HANGUL_INITIALS[index // 588], _HANGUL_VOWELS[index % 588 // 28], _HANGUL_FINALS[index % 28]
    return "".join(part for part in parts if part != "-")


@lru_cache(maxsize=4096)
def _letter(char: str) -> str:
    if char in _LETTERS:
        return _LETTERS[char].strip(".'")
    if "가" <= char <= "힣":
        return _hangul(ord(char))
    name = unicodedata.name(char, "")
    if not name or name.startswith(("CJK", "IDEOGRAPHIC")) or "ITERATION MARK" in name:
        return char
    matra = _MATRA.search(name)
    if matra:
        return matra[1].lower()
    if unicodedata.category(char) in ("Mn", "Mc", "Me"):
        return ""
    thai = _THAI.match(name)
    if thai:
        return thai[2].lower() if thai[1] == "SARA" else thai[1][:1].lower()
    found = _LETTER_NAME.search(name)
    if not found:
        return char
    word = found[1].lower().removeprefix("small ").rpartition(" ")[2]
    # The inherent vowel of an Indic or South-East Asian consonant is often not spoken; in the reading it is noise.
    return word.rstrip("aeiou") or word[:1] if name.startswith(_UNVOWELLED) else word


def is_abjad(text: str) -> bool:
    """Whether most of it is written without vowels."""
    if text.isascii():
        return False
    letters = [char for char in text if char.isalpha()]
    return bool(letters) and sum(unicodedata.name(char, "").startswith(ABJADS) for char in letters) * 2 > len(letters)


def latin(text: str) -> str:
    """
    The text in small Latin letters, digits and spaces; apostrophes and full stops within initials gone, other signs spaces.

    Characters without a known reading (Chinese) stay.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = _JOINERS.sub("", _APOSTROPHES.sub("", folded)).replace("&", " and ").replace("\u200c", " ")
    words = [_word(word) for word in _split(folded)]
    return " ".join(part for word in words for part in _dotted(word))


def _split(text: str) -> list[str]:
    if text.isascii():
        return re.findall(r"[a-z0-9.]+", text)
    # Vowel signs are marks and part of their word, which regular expressions do not know.
    return "".join(char if char.isalnum() or char == "." or unicodedata.category(char)[0] == "M" else " " for char in text).split()


def _dotted(word: str) -> list[str]:
    """ "a.b.c." is "abc", as is "l.l.c"; "st.petersburg" and "ltd." are words."""
    parts = [part for part in word.split(".") if part]
    if len(parts) > 1 and all(len(part) == 1 for part in parts):
        return ["".join(parts)]
    return parts


def _word(word: str) -> str:
    if word.isascii():
        return word
    bare, before = "", ""
    for char in unicodedata.normalize("NFD", word):
        if unicodedata.category(char) != "Mn" or _keeps(char, before):
            bare += char
        before = char
    bare = unicodedata.normalize("NFC", bare)
    plain = bare.replace("أ", "ا").replace("إ", "ا").replace("آ", "ا")
    if plain in _WORDS:
        return _WORDS[plain]
    if plain.startswith("ال") and len(plain) > 4:
        return "al " + _word(plain[2:]) if plain != "الله" else "allah"
    return "".join(_letter(char) for char in plain)


def _keeps(mark: str, before: str) -> bool:
    """Marks that carry a sound of their own: vowel signs, the Japanese voicing mark, the Cyrillic short i and u."""
    return mark in "\u3099\u309a" or (mark == "\u0306" and before in "иу") or "VOWEL SIGN" in unicodedata.name(mark, "")
