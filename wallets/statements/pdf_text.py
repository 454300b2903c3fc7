"""
Text for a PDF: which font has a character, how Arabic letters join, and in which order a line of two directions stands.

A PDF draws glyphs from left to right in the order they come, so joining and ordering are done here. Joining uses Unicode's
presentation forms, which the Persian font has; ordering is the Unicode Bidirectional Algorithm without explicit embeddings,
which nothing here writes. Source: Unicode Standard Annex 9; The Unicode Standard, 9.2.
"""

from __future__ import annotations

import io
import lzma
import threading
import unicodedata
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

_FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD, EUROPEAN, CHINESE = "Vazirmatn", "Vazirmatn-Bold", "NotoSans", "NotoSansSC"
_FILES = {
    REGULAR: "vazirmatn-33.0.3-regular.ttf",
    BOLD: "vazirmatn-33.0.3-bold.ttf",
    EUROPEAN: "noto-sans-5.3.0-greek-cyrillic-hebrew.ttf",
    CHINESE: "noto-sans-sc-5.3.0.ttf.xz",
}
# What no font of ours has.
MISSING = "\N{REPLACEMENT CHARACTER}"
_lock = threading.Lock()

_INVISIBLE = dict.fromkeys([0x200B, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")
_CAUSES_JOINING = "\u0640\u200d"


# --- fonts ----------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=len(_FILES))
def font(name: str) -> TTFont:
    """The font, registered with the PDF library; the large one is read only when somebody needs it."""
    with _lock:
        path = _FONTS / _FILES[name]
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        found = TTFont(name, io.BytesIO(data))
        pdfmetrics.registerFont(found)
        return found


@lru_cache(maxsize=8192)
def _font_of(char: str, wanted: str) -> str:
    return next((name for name in (wanted, EUROPEAN, CHINESE) if ord(char) in font(name).face.charToGlyph), "")


def runs(text: str, wanted: str) -> list[tuple[str, str]]:
    """The text as (font, part), in order; what no font has is drawn as MISSING."""
    known = [(name, char) if (name := _font_of(char, wanted)) else (EUROPEAN, MISSING) for char in text]
    return [(name, "".join(char for _name, char in part)) for name, part in groupby(known, key=lambda one: one[0])]


def width(text: str, wanted: str, size: float) -> float:
    """How wide a text that is laid out already is, in points."""
    return sum(_char_width(char, wanted) for char in text) * size


@lru_cache(maxsize=8192)
def _char_width(char: str, wanted: str) -> float:
    ((name, shown),) = runs(char, wanted)
    return float(pdfmetrics.stringWidth(shown, name, 1))


@lru_cache(maxsize=2048)
def laid_out(text: str, *, rtl: bool) -> str:
    """
    The text as it is drawn from left to right. Its direction is that of its first letter, as in a <bdi>; `rtl` where it has none.
    """
    flat = " ".join(text.split())
    first = next((kind for char in flat if (kind := unicodedata.bidirectional(char)) in ("L", "R", "AL")), None)
    return _ordered(_joined(flat), rtl=rtl if first is None else first != "L").translate(_INVISIBLE)


def fitted(text: str, wanted: str, size: float, room: float) -> list[str]:
    """The text, as it was written, in lines that are at most `room` points wide: broken at blanks, and within what has none."""
    lines: list[str] = []
    used, blank = 0.0, width(" ", wanted, size)
    for word in text.split():
        need = width(_joined(word), wanted, size)
        if lines and used + blank + need <= room:
            lines[-1] += f" {word}"
            used += blank + need
            continue
        *whole, last = _cut(word, wanted, size, room) if need > room else [word]
        lines += [*whole, last]
        used = width(_joined(last), wanted, size)
    return lines


def _cut(word: str, wanted: str, size: float, room: float) -> list[str]:
    pieces, used = [""], 0.0
    for char in word:
        need = width(char, wanted, size)
        if pieces[-1] and used + need > room:
            pieces.append("")
            used = 0.0
        pieces[-1] += char
        used += need
    return pieces


# --- joining --------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _forms() -> dict[str, dict[str, str]]:
    """For each letter (and lam with alef) its isolated, initial, medial and final shape, as far as it has them."""
    found: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFBB2), *range(0xFBD3, 0xFBE9), *range(0xFBFC, 0xFC00), *range(0xFE80, 0xFEFD)):
        shape, _sep, letters = unicodedata.decomposition(chr(code)).partition(" ")
        if shape in ("<isolated>", "<initial>", "<medial>", "<final>"):
            found.setdefault("".join(chr(int(letter, 16)) for letter in letters.split()), {})[shape[1:-1]] = chr(code)
    return found


def _joined(text: str) -> str:
    forms = _forms()
    letters: list[str] = []
    for char in text:
        if letters and letters[-1] == "\u0644" and "\u0644" + char in forms:
            letters[-1] += char
        else:
            letters.append(char)
    return "".join(_shape(letters, place) for place in range(len(letters)))


def _shape(letters: list[str], place: int) -> str:
    forms = _forms().get(letters[place])
    if forms is None:
        return letters[place]
    before, after = _neighbour(letters, place, -1), _neighbour(letters, place, 1)
    joins_before = "final" in forms and (before in _CAUSES_JOINING or "initial" in _forms().get(before, {}))
    joins_after = "initial" in forms and (after in _CAUSES_JOINING or "final" in _forms().get(after, {}))
    wanted = "medial" if joins_before and joins_after else "final" if joins_before else "initial" if joins_after else "isolated"
    return forms.get(wanted) or forms.get("isolated") or letters[place]


def _neighbour(letters: list[str], place: int, step: int) -> str:
    """The next letter that is no mark on another; a space where there is none (it joins nothing)."""
    place += step
    while 0 <= place < len(letters):
        if unicodedata.category(letters[place][0]) != "Mn":
            return letters[place]
        place += step
    return " "


# --- two directions in one line ---------------------------------------------------------------------------------------------------


def _ordered(text: str, *, rtl: bool) -> str:
    levels = _levels(text, rtl=rtl)
    chars = [char.translate(_MIRRORED) if level % 2 else char for char, level in zip(text, levels, strict=True)]
    for level in range(max(levels, default=0), 0, -1):
        place = 0
        while place < len(chars):
            end = place
            while end < len(chars) and levels[end] >= level:
                end += 1
            if end > place:
                chars[place:end] = reversed(chars[place:end])
            place = max(end, place + 1)
    return "".join(chars)


def _levels(text: str, *, rtl: bool) -> list[int]:
    base = "R" if rtl else "L"
    kinds = _directions(text, base)
    if rtl:
        return [1 if kind == "R" else 2 for kind in kinds]
    return [{"L": 0, "R": 1}.get(kind, 2) for kind in kinds]


def _directions(text: str, base: str) -> list[str]:
    """L, R, EN or AN for each character: the rules W1 to W7, N1 and N2."""
    kinds = [unicodedata.bidirectional(char) or "L" for char in text]
    strong, before = base, base
    for place, kind in enumerate(kinds):
        if kind == "NSM":
            kinds[place] = kind = before
        if kind == "EN" and strong == "AL":
            kinds[place] = "AN"
        elif kind in ("L", "R", "AL"):
            strong = kind
        before = kinds[place]
    kinds = ["R" if kind == "AL" else kind for kind in kinds]
    for place in range(1, len(kinds) - 1):
        around = {kinds[place - 1], kinds[place + 1]}
        if (kinds[place] in ("ES", "CS") and around == {"EN"}) or (kinds[place] == "CS" and around == {"AN"}):
            kinds[place] = kinds[place - 1]
    _spread_terminators(kinds)
    strong = base
    for place, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[place] = "L"
        elif kind not in ("EN", "AN"):
            kinds[place] = "ON"
    return _neutrals_settled(kinds, base)


def _spread_terminators(kinds: list[str]) -> None:
    """Currency and percent signs go with the number beside them."""
    for kind, part in [(kind, list(part)) for kind, part in groupby(range(len(kinds)), key=lambda place: kinds[place])]:
        beside = {kinds[part[0] - 1] if part[0] else "", kinds[part[-1] + 1] if part[-1] + 1 < len(kinds) else ""}
        if kind == "ET" and "EN" in beside:
            for place in part:
                kinds[place] = "EN"


def _neutrals_settled(kinds: list[str], base: str) -> list[str]:
    settled, place = list(kinds), 0
    while place < len(kinds):
        end = place
        while end < len(kinds) and kinds[end] == "ON":
            end += 1
        if end > place:
            before = _side(kinds[place - 1]) if place else base
            after = _side(kinds[end]) if end < len(kinds) else base
            settled[place:end] = [before if before == after else base] * (end - place)
        place = max(end, place + 1)
    return settled


def _side(kind: str) -> str:
    return "L" if kind == "L" else "R"
