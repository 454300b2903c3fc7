"""
All names of the active lists in memory, and the few of them that a name could be.

A name's words are found by their consonants, also with one consonant more, fewer or other; what is found often says
little, so rare words choose and common ones only add. The few dozen best go to the scorer. Lives in the screening process
and in commands only. Source: docs/screening.md, "Finding candidates".
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rapidfuzz.distance import OSA

from compliance.screening.scorer import PERSON, Prepared, Score, Word, adjust, compare, prepare, prepare_afresh, skeleton, sound
from compliance.screening.words import SAME

# How many names the scorer looks at for one question.
CANDIDATES: Final = 70
# A word in more names than this chooses nobody by itself.
_COMMON: Final = 1500
_LIKENESS_MIN: Final = 0.6
# The share of the shorter name's words that must be found before two names are compared.
_COVERED_MIN: Final = 0.65
# Names whose found words say less than this share of the best one's are not compared.
_WORTH_MIN: Final = 0.3
_WEAK_FACTOR: Final = 0.93
_SPEAKING: Final = 0.25
"""Words below this weight (titles, particles, legal forms) are not looked up."""


@dataclass(frozen=True, slots=True)
class IndexedEntry:
    """Where a name comes from. `key` is (source, entry id); `digest` changes with the entry."""

    source: str
    entry_id: str
    schema: str
    digest: str
    birth_years: tuple[int, ...] = ()
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that a name could be, by its best name."""

    entry: IndexedEntry
    name: str
    score: float
    parts: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Name:
    text: str
    prepared: Prepared
    entry: IndexedEntry
    weak: bool


class NameIndex:
    """Built once for a version of the lists; asked many times."""

    def __init__(self, names: Iterable[tuple[str, IndexedEntry, bool]]) -> None:
        self._names: list[_Name] = []
        self._speaking: list[int] = []
        self._words: dict[str, list[int]] = defaultdict(list)
        self._keys: dict[str, list[str]] = defaultdict(list)
        # The same word object for all names that have it: half the memory.
        shared: dict[Word, Word] = {}
        for text, entry, weak in names:
            self._add(text, entry, shared, weak=weak)
        for word in self._words:
            for key in _keys(word):
                self._keys[key].append(word)
        self._sounds = {word: sound(word) for word in self._words}
        total = max(len(self._names), 2)
        self._weights = {word: math.log(1 + total / len(found)) for word, found in self._words.items()}

    def __len__(self) -> int:
        return len(self._names)

    def _add(self, text: str, entry: IndexedEntry, shared: dict[Word, Word], *, weak: bool) -> None:
        number = len(self._names)
        prepared = prepare_afresh(text, entry.schema, shared)
        self._names.append(_Name(text, prepared, entry, weak))
        self._speaking.append(_speaking(prepared))
        for word in {word for word, _parts in _lookups(prepared)}:
            self._words[word].append(number)

    def search(
        self, name: str, *, schema: str = "", birth_year: int | None = None, country: str = "", minimum: float = 0.7, limit: int = 10
    ) -> list[Match]:
        """The entries whose score is at least `minimum`, best first."""
        best: dict[tuple[str, str], Match] = {}
        readings = [prepare(name, kind) for kind in ((schema,) if schema else (PERSON, "Company"))]
        for number in self._candidates(readings):
            found = self._names[number]
            if not _may_be(schema, found.entry.schema):
                continue
            score = self._score(found, readings, schema)
            if score.score * (1.03 if birth_year or country else 1.0) < minimum:
                continue
            score = adjust(
                score, birth_year=birth_year, birth_years=found.entry.birth_years, country=country, countries=found.entry.countries
            )
            key = found.entry.source, found.entry.entry_id
            if score.score >= minimum and (key not in best or best[key].score < score.score):
                best[key] = Match(found.entry, found.text, score.score, score.parts)
        return sorted(best.values(), key=lambda match: (-match.score, match.entry.source, match.entry.entry_id))[:limit]

    def _score(self, found: _Name, readings: Sequence[Prepared], schema: str) -> Score:
        person = found.entry.schema == PERSON
        reading = readings[0] if schema or person else readings[-1]
        score = compare(reading, found.prepared)
        if found.weak and score.score < 0.999:
            return Score(score.score * _WEAK_FACTOR, (*score.parts, {"kind": "weak_name", "factor": _WEAK_FACTOR}))
        return score

    def _candidates(self, readings: Sequence[Prepared]) -> list[int]:
        """Names of which enough words were found, those with the rarest words first."""
        pieces = dict(piece for reading in readings for piece in _lookups(reading))
        similar = {asked: {word: likeness for likeness, word in sorted(self._similar(asked))} for asked in pieces}
        sizes = {asked: sum(len(self._words[word]) for word in found) for asked, found in similar.items()}
        worth: dict[int, float] = {}
        covered: dict[int, float] = {}
        for asked in sorted((asked for asked in similar if similar[asked]), key=sizes.__getitem__):
            if worth and sizes[asked] > _COMMON and len(worth) <= _COMMON:
                best = self._among(worth, similar[asked])
            else:
                best = self._all(similar[asked])
                if worth and sizes[asked] > _COMMON and (both := worth.keys() & best.keys()):
                    # Nothing but common words ("Mohammed Ali"): those that have two of them are few enough.
                    worth = {number: worth[number] for number in both}
                    best = {number: best[number] for number in both}
            parts = pieces[asked]
            for number, (likeness, value) in best.items():
                worth[number] = worth.get(number, 0.0) + value
                covered[number] = covered.get(number, 0.0) + likeness * parts
        least = _WORTH_MIN * max(worth.values(), default=0.0)
        asked_for = min(_speaking(reading) for reading in readings)
        speaking = self._speaking
        enough = [n for n, value in worth.items() if value >= least and covered[n] >= _COVERED_MIN * min(asked_for, speaking[n])]
        return enough if len(enough) <= CANDIDATES else heapq.nlargest(CANDIDATES, enough, key=worth.__getitem__)

    def _all(self, similar: dict[str, float]) -> dict[int, tuple[float, float]]:
        """Every name with one of the words: (how alike, how much it says). The most alike of a name's words comes last and stays."""
        best: dict[int, tuple[float, float]] = {}
        for word, likeness in similar.items():
            best.update(dict.fromkeys(self._words[word], (likeness, self._weights[word] * likeness * likeness)))
        return best

    def _among(self, known: Iterable[int], similar: dict[str, float]) -> dict[int, tuple[float, float]]:
        """The same for a word so common that it chooses nobody by itself: only among names that other words have chosen."""
        best: dict[int, tuple[float, float]] = {}
        for number in known:
            for word in self._names[number].prepared.words:
                likeness = similar.get(word.text, 0.0)
                if likeness and likeness > best.get(number, (0.0, 0.0))[0]:
                    best[number] = likeness, self._weights[word.text] * likeness * likeness
        return best

    def _similar(self, asked: str) -> Iterator[tuple[float, str]]:
        """Words of the lists that could be this one, with how alike they are."""
        heard, root, bones = sound(asked), SAME.get(asked, asked), skeleton(asked)
        for word in {word for key in _keys(asked) for word in self._keys.get(key, ())}:
            if word == asked:
                yield 1.0, word
                continue
            likeness: float = OSA.normalized_similarity(heard, self._sounds[word], score_cutoff=_LIKENESS_MIN)
            if likeness < 0.95 and SAME.get(word) == root:
                likeness = 0.95
            elif likeness < 0.75 and len(bones) > 2 and skeleton(word) == bones:
                likeness = 0.75
            if likeness:
                yield likeness, word


def _speaking(name: Prepared) -> int:
    return sum(word.weight >= _SPEAKING for word in name.words) or len(name.words)


def _lookups(name: Prepared) -> Iterator[tuple[str, int]]:
    """
    The words that are looked up, and how many of the name's words each is: all that say something, and neighbours taken
    together for spaces in the wrong place.
    """
    texts = [word.text for word in name.words]
    if len(texts) > 2 and len(name.joined) <= 24:
        yield name.joined, len(texts)
    for first, second in zip(name.words, name.words[1:], strict=False):
        if len(first.text) + len(second.text) >= 6:
            yield first.text + second.text, (first.weight >= _SPEAKING) + (second.weight >= _SPEAKING) or 1
    speaking = [word.text for word in name.words if word.weight >= _SPEAKING]
    for text in speaking or texts:
        yield text, 1


def _keys(word: str) -> set[str]:
    """
    Under what a word is found: its consonants, with one consonant less as well, or for short words one letter less; and
    the name it is a form of.
    """
    if word.isdigit():
        return {word}
    if not word.isascii():
        return {word, *(f"={char}" for char in word if len(word) <= 4)}
    bones, found = skeleton(word), set()
    if word in SAME:
        found.add(f"~{SAME[word]}")
    if len(bones) > 3:
        found |= {bones, *(bones[:i] + bones[i + 1 :] for i in range(len(bones)))}
        return found
    heard = sound(word)
    if len(bones) == 3:
        found.add(bones)
    return found | {f"'{heard}", *(f"'{heard[:i]}{heard[i + 1 :]}" for i in range(len(heard)) if len(heard) > 2)}


def _may_be(asked: str, listed: str) -> bool:
    """A person is not a ship; what is asked for without a kind may be anything."""
    if not asked or asked == "LegalEntity":
        return True
    organisations = ("Company", "Organization", "LegalEntity")
    return asked == listed or (asked in organisations and listed in organisations)
