"""
How alike two names are, 0 to 1, and why.

Words are paired in whatever order they stand; a pair is as good as its spelling, its sound and its weight (a title or "Ltd"
says little). What decides is the worst pair: one word that is quite another on both sides makes another name, however long
the rest; words that only one side has (a middle name, a patronymic) cost little. Source: docs/screening.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from rapidfuzz.distance import OSA, JaroWinkler

from compliance.screening import words
from compliance.screening.text import is_abjad, latin

PERSON, COMPANY = "Person", "Company"
# What the lists and callers may say of who is meant. LegalEntity is a person or a company.
SCHEMAS: Final = ("Person", "Company", "Organization", "LegalEntity", "Vessel", "Aircraft")

_TITLE, _PARTICLE, _INITIAL, _FORM, _GENERIC, _NUMBER = 0.08, 0.12, 0.3, 0.08, 0.45, 0.35
# A pair below this is no pair: two different words.
_PAIR_MIN: Final = 0.55


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    sound: str
    weight: float
    skeleton: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A name made ready: do it once for a name that is compared often."""

    original: str
    schema: str
    words: tuple[Word, ...]
    joined: str
    abjad: bool

    @property
    def weight(self) -> float:
        return sum(word.weight for word in self.words)


@dataclass(frozen=True, slots=True)
class Score:
    score: float
    parts: tuple[dict[str, Any], ...]


# --- preparing -----------------------------------------------------------------------------------------------------------

_SOUNDS: Final = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        ("x", "ks"),
        ("tsch|tch|cz", "ch"),
        ("shch|sch|sz|sh", "x"),
        ("dzh|dj|zh", "j"),
        ("kh|gh|ch(?=[lr])", "h"),
        ("ph", "f"),
        ("th", "t"),
        ("dh", "d"),
        ("ck|cq|q", "k"),
        ("c(?=[eiy])", "s"),
        ("ch", "C"),
        ("c", "k"),
        ("C", "c"),
        ("w", "v"),
        ("ou|oo", "u"),
        ("ee|ie|ei|ey|ay|ae|ai|iy|yy|ii", "i"),
        ("y", "i"),
        ("z", "s"),
        ("j", "i"),
        ("h(?![aeiou])", ""),
        (r"(.)\1+", r"\1"),
        ("(?<=[a-z]{2})(?:ii?|e)$", "i"),
    )
)
_VOWELS: Final = re.compile("[aeiou]")
_LOOKALIKES: Final = str.maketrans("013457", "oieast")


@lru_cache(maxsize=200_000)
def sound(text: str) -> str:
    """A spelling that many spellings share: Sergei, Sergej and Sergey, Mahmoud and Mahmood."""
    for pattern, to in _SOUNDS:
        text = pattern.sub(to, text)
    return text


@lru_cache(maxsize=200_000)
def skeleton(text: str) -> str:
    """The consonants of the sound, and a leading vowel as "a": what is left when vowels are not written."""
    heard = sound(text).replace("v", "f")
    bones = _VOWELS.sub("", heard)
    return "a" + bones if heard[:1] in "aeiou" else bones


def prepare(name: str, schema: str = PERSON) -> Prepared:
    return _prepare(name, schema if schema in SCHEMAS else "LegalEntity")


@lru_cache(maxsize=4096)
def _prepare(name: str, schema: str) -> Prepared:
    return prepare_afresh(name, schema, {})


def prepare_afresh(name: str, schema: str, shared: dict[Word, Word]) -> Prepared:
    """The same without remembering names; words that were met before are taken from `shared`."""
    plain = latin(name)
    found = _person_words(plain, name) if schema == PERSON else _company_words(plain)
    kept = tuple(shared.setdefault(word, word) for word in found)
    joined = "".join(word.text for word in kept if word.weight > _PARTICLE)
    return Prepared(original=name, schema=schema, words=kept, joined=joined, abjad=is_abjad(name))


def _make(text: str, weight: float) -> Word:
    return Word(text=text, sound=sound(text), weight=weight, skeleton=skeleton(text))


def _person_words(plain: str, name: str) -> list[Word]:
    texts = _initials_apart(plain.split(), name)
    made = []
    for text in texts:
        if any(char.isdigit() for char in text) and any(char.isalpha() for char in text):
            text = text.translate(_LOOKALIKES)
        if text in words.TITLES:
            weight = _TITLE
        elif text in words.PARTICLES:
            weight = _PARTICLE
        elif len(text) == 1 and text.isascii():
            weight = _INITIAL
        else:
            weight = 1.0
        made.append(_make(text, weight))
    if sum(word.weight for word in made) < 0.5:
        # Nothing but small words: "Al Sheikh", "Na Li". Then they are the name.
        return [_make(word.text, 1.0) for word in made]
    return made


def _initials_apart(texts: list[str], name: str) -> list[str]:
    """ "J.-C." and "J.C. Juncker" are initials, not a word "jc"."""
    dotted = {found.replace(".", "").lower() for found in re.findall(r"\b(?:\w\.){2,3}", name)}
    return [part for text in texts for part in (text if text in dotted else (text,))]


def _company_words(plain: str) -> list[Word]:
    padded = f" {plain} "
    for phrase, short in words.PHRASES:
        padded = padded.replace(f" {phrase} ", f" {short} ")
    for form, short in words.FORMS:
        padded = padded.replace(f" {form} ", f" {short} ")
    texts = _numbers(padded.split())
    made = [_make(words.LEGAL.get(text, words.COUNTRIES_AS_WORDS.get(text, text)), _company_weight(text)) for text in texts]
    if made and not any(word.weight == 1.0 for word in made):
        # "Management Company", "First National Bank": then the common words are all there is.
        made = [_make(word.text, 1.0 if word.weight == _GENERIC else word.weight) for word in made]
    return made


def _company_weight(text: str) -> float:
    if text in words.LEGAL:
        return _FORM
    if text in words.PARTICLES:
        return _PARTICLE
    if text.isdigit() or _is_roman(text):
        return _NUMBER
    return _GENERIC if text in words.GENERIC else 1.0


def _is_roman(text: str) -> bool:
    return bool(re.fullmatch("x{0,3}(?:ix|iv|v?i{0,3})", text)) and text != ""


def _numbers(texts: Sequence[str]) -> list[str]:
    found: list[str] = []
    tens = 0
    for text in texts:
        if text in words.TENS:
            tens = words.TENS[text]
            found.append(str(tens))
        elif tens and (number := words.NUMBERS.get(text, "")) and 0 < int(number) < 10:
            found[-1] = str(tens + int(number))
            tens = 0
        else:
            found.append(words.NUMBERS.get(text, text))
            tens = 0
    return found


# --- comparing words -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=500_000)
def word_likeness(one: str, other: str) -> float:
    """0 to 1; below _PAIR_MIN they are different words."""
    if one == other:
        return 1.0
    if one.isdigit() or other.isdigit():
        return 0.75 if one.isdigit() and other.isdigit() and len(one) == len(other) < 5 and OSA.distance(one, other) == 1 else 0.0
    if not one.isascii() or not other.isascii():
        return 0.0
    if len(one) == 1 or len(other) == 1:
        return 0.85 if one[0] == other[0] else 0.0
    if words.SAME.get(one, one) == words.SAME.get(other, other):
        return 0.95
    return _spelling(one, other)


def _spelling(one: str, other: str) -> float:
    longest, shortest = max(len(one), len(other)), min(len(one), len(other))
    edits = OSA.distance(one, other)
    heard_one, heard_other = sound(one), sound(other)
    heard = OSA.distance(heard_one, heard_other) / max(len(heard_one), len(heard_other), 1)
    written = edits / longest
    # One slip in a short word is another word sooner than in a long one.
    likeness = 1.0 - 0.5 * (1.15 * written + 1.15 * heard)
    if heard_one == heard_other and shortest > 2:
        likeness = max(likeness, 0.93)
    elif skeleton(one) == skeleton(other) and len(skeleton(one)) > 2:
        likeness = max(likeness, min(0.88, likeness + 0.12))
    if shortest <= 3 and edits >= 1:
        likeness -= 0.04
    if one[0] != other[0] and heard_one[:1] != heard_other[:1]:
        likeness -= 0.05
    if edits > 1 and JaroWinkler.similarity(one, other) < 0.8:
        likeness -= 0.08
    if heard > 0.34:
        likeness -= 0.1
    return max(0.0, min(likeness, 0.97))


def _pair(one: Word, other: Word, *, unvowelled: bool) -> float:
    likeness = word_likeness(one.text, other.text)
    if unvowelled and likeness < 0.9:
        bones, others = one.skeleton, other.skeleton
        if bones and others:
            distance = OSA.distance(bones, others) / max(len(bones), len(others))
            likeness = max(likeness, 0.9 * (1 - distance) if distance < 0.34 else 0.0)
    return likeness if likeness >= _PAIR_MIN else 0.0


# --- comparing names -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Match:
    ours: str
    theirs: str
    likeness: float
    weight: float


# How alike, the smaller weight, and the places on both sides: [start, end) of ours, [begin, finish) of theirs.
_Found = tuple[float, float, int, int, int, int]


def _assign(ours: Sequence[Word], theirs: Sequence[Word], *, unvowelled: bool) -> tuple[list[_Match], list[Word], list[Word]]:
    """Best pairs first, one word or up to three neighbours taken together on either side; then what is left of both."""
    found: list[_Found] = []
    for start, one in enumerate(ours):
        for begin, other in enumerate(theirs):
            likeness = _pair(one, other, unvowelled=unvowelled and one.text.isascii())
            if likeness:
                weights = one.weight, other.weight
                found.append((likeness * (1 - 0.02 * abs(weights[0] - weights[1])), min(weights), start, start + 1, begin, begin + 1))
    plain = _choose(found, ours, theirs)
    if not plain[1] and not plain[2]:
        return plain
    joined = _joined(ours, theirs, swapped=False) + _joined(theirs, ours, swapped=True)
    return _choose(found + joined, ours, theirs) if joined else plain


def _choose(found: list[_Found], ours: Sequence[Word], theirs: Sequence[Word]) -> tuple[list[_Match], list[Word], list[Word]]:
    found.sort(key=_rank, reverse=True)
    taken_ours, taken_theirs, matches = set[int](), set[int](), list[_Match]()
    for likeness, weight, start, end, begin, finish in found:
        mine, yours = range(start, end), range(begin, finish)
        if taken_ours.isdisjoint(mine) and taken_theirs.isdisjoint(yours):
            taken_ours.update(mine)
            taken_theirs.update(yours)
            texts = " ".join(ours[i].text for i in mine), " ".join(theirs[i].text for i in yours)
            matches.append(_Match(*texts, min(likeness, 1.0), weight))
    return (
        matches,
        [word for i, word in enumerate(ours) if i not in taken_ours],
        [word for i, word in enumerate(theirs) if i not in taken_theirs],
    )


def _rank(found: _Found) -> tuple[float, int]:
    """Likeness first, then what weighs, words taken together before their parts, and at last the same place."""
    likeness, weight, start, end, begin, finish = found
    together = end - start + finish - begin > 2
    return likeness + 0.05 * min(weight, 1.0) + 0.2 * together, -abs(start - begin)


def _joined(single: Sequence[Word], several: Sequence[Word], *, swapped: bool) -> list[_Found]:
    """ "SergeiLavrov" beside "Sergei Lavrov", "van der bilt" beside "Vanderbilt"."""
    found = []
    for start, one in enumerate(single):
        if len(one.text) < 4:
            continue
        for begin in range(len(several) - 1):
            text = several[begin].text
            for finish in range(begin + 2, min(begin + 4, len(several) + 1)):
                text += several[finish - 1].text
                if abs(len(text) - len(one.text)) > 2:
                    continue
                likeness = word_likeness(one.text, text)
                # An initial is part of a longer word only where the whole is the same ("J P Morgan", "JPMorgan").
                if likeness == 1.0 or (likeness >= 0.8 and all(len(part.text) > 1 for part in several[begin:finish])):
                    weight = max(one.weight, sum(word.weight for word in several[begin:finish]))
                    sides = (start, start + 1, begin, finish)
                    found.append((likeness * 0.99, weight, *(sides if not swapped else (begin, finish, start, start + 1))))
    return found


def compare(ours: Prepared, theirs: Prepared) -> Score:
    """How alike two prepared names are; `parts` say why, word by word."""
    if not ours.words or not theirs.words:
        return Score(0.0, ())
    if ours.joined and ours.joined == theirs.joined:
        same_forms = [w.text for w in ours.words] == [w.text for w in theirs.words]
        return Score(
            1.0 if same_forms else 0.99, ({"kind": "name", "ours": ours.original, "theirs": theirs.original, "how": "same", "score": 1.0},)
        )
    person = PERSON in (ours.schema, theirs.schema)
    matches, left_ours, left_theirs = _assign(ours.words, theirs.words, unvowelled=ours.abjad != theirs.abjad)
    score = _total(matches, left_ours, left_theirs, person=person)
    whole = _whole(ours, theirs)
    if whole > score:
        return Score(whole, ({"kind": "name", "ours": ours.joined, "theirs": theirs.joined, "how": "whole", "score": round(whole, 3)},))
    return Score(score, tuple(_parts(matches, left_ours, left_theirs)))


def _total(matches: list[_Match], left_ours: list[Word], left_theirs: list[Word], *, person: bool) -> float:
    paired = sum(match.weight for match in matches)
    if not paired:
        return 0.0
    extra_ours, extra_theirs = sum(word.weight for word in left_ours), sum(word.weight for word in left_theirs)
    mean = sum(match.weight * match.likeness for match in matches) / paired
    worst = min((1 - (1 - match.likeness) * min(match.weight * 1.2, 1.0) for match in matches), default=1.0)
    quality = 0.45 * mean + 0.55 * worst
    conflict, extra = min(extra_ours, extra_theirs), abs(extra_ours - extra_theirs)
    # What both sides have and does not pair: another name, even if all the rest is the same.
    if conflict:
        near = max((word_likeness(one.text, other.text) for one in left_ours for other in left_theirs), default=0.0)
        quality *= 1 - min(1.0, conflict) * (0.45 + 0.55 * conflict / (conflict + paired)) * (1 - 0.7 * near)
    if extra:
        share = extra / (extra + conflict + paired)
        steep = 0.28 if person else 0.62
        if paired < 1.5 and person:
            steep = 0.75
        quality *= 1 - steep * share
    return max(0.0, min(quality, 0.985))


def _whole(ours: Prepared, theirs: Prepared) -> float:
    """Spaces in the wrong place, or the letters from back to front."""
    one, other = ours.joined, theirs.joined
    if min(len(one), len(other)) < 6:
        return 0.0
    distance = OSA.distance(one, other, score_cutoff=2)
    if distance <= 2 and distance / max(len(one), len(other)) <= 0.13 and len(ours.words) != len(theirs.words):
        return 0.96 - 0.04 * distance
    return 0.75 if one == other[::-1] else 0.0


def _parts(matches: list[_Match], left_ours: list[Word], left_theirs: list[Word]) -> Iterable[dict[str, Any]]:
    for match in matches:
        yield {
            "kind": "word",
            "ours": match.ours,
            "theirs": match.theirs,
            "how": _how(match),
            "score": round(match.likeness, 3),
            "weight": round(match.weight, 2),
        }
    for side, left in (("ours", left_ours), ("theirs", left_theirs)):
        for word in left:
            yield {"kind": "only", side: word.text, "weight": round(word.weight, 2)}


def _how(match: _Match) -> str:
    if match.ours == match.theirs:
        return "same"
    if " " in match.ours or " " in match.theirs:
        return "joined"
    if len(match.ours) == 1 or len(match.theirs) == 1:
        return "initial"
    if words.SAME.get(match.ours, match.ours) == words.SAME.get(match.theirs, match.theirs):
        return "variant"
    return "sound" if sound(match.ours) == sound(match.theirs) else "spelling"


# --- who, beside the name --------------------------------------------------------------------------------------------------


def adjust(score: Score, *, birth_year: int | None, birth_years: Sequence[int], country: str, countries: Sequence[str]) -> Score:
    """What is known beside the name: a year of birth far off takes much away, another country a little. Unknown changes nothing."""
    value, parts = score.score, list(score.parts)
    if birth_year and birth_years:
        apart = min(abs(birth_year - year) for year in birth_years)
        factor = 1.02 if apart == 0 else 1.0 if apart <= 1 else 0.95 if apart <= 3 else 0.85 if apart <= 8 else 0.7
        value *= factor
        parts.append({"kind": "birth_year", "ours": birth_year, "theirs": list(birth_years), "factor": factor})
    if country and countries:
        factor = 1.01 if country in countries else 0.96
        value *= factor
        parts.append({"kind": "country", "ours": country, "theirs": list(countries), "factor": factor})
    return Score(round(min(value, 1.0), 4), tuple(parts))


def pair_score(one: str, other: str, schema: str = PERSON) -> float:
    """The plain likeness of two names, in either order the same."""
    forward = compare(prepare(one, schema), prepare(other, schema)).score
    backward = compare(prepare(other, schema), prepare(one, schema)).score
    return round(max(forward, backward), 4)
