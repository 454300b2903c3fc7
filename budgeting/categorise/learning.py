"""
Learning from corrections: exact merchants first, then likeness. Works with whatever words the corrections use for their
categories; what our own set says is one more hint, so that "our groceries" become "their Food" after a few examples.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from budgeting.categorise.categories import CATEGORIES
from budgeting.categorise.cleaning import clean
from budgeting.categorise.engine import Guess, Why, categorise

# How much a hint counts beside a word: our own guess tells most, pieces of words little.
_OWN, _WORD, _NAME, _PIECE = 4.0, 1.0, 2.0, 0.35
_SMOOTH = 0.15
# Logarithms of many hints that depend on each other are too sure of themselves.
_COOL = 3.0
_LIKE_MIN = 0.35


class Learned:
    """Corrections, learned once; `categorise` then answers as the module's function does, with them in front."""

    def __init__(self, corrections: Iterable[tuple[str, str]] = ()) -> None:
        self.exact: dict[str, str] = {}
        self._seen: Counter[str] = Counter()
        self._hints: dict[str, defaultdict[str, float]] = {}
        self._totals: defaultdict[str, float] = defaultdict(float)
        self._known: set[str] = set()
        for description, category in corrections:
            self._learn(description, category.strip())
        self._foreign = any(label not in CATEGORIES for label in self._seen)

    def categorise(self, description: str, *, mcc: str = "", country: str = "") -> Guess:
        own = categorise(description, mcc=mcc, country=country)
        if not self._seen:
            return own
        ruled = self.exact.get(_exact_key(own))
        if ruled is not None:
            return replace(own, category=ruled, confidence=1.0, why=Why.RULE)
        label, sure = self._likeliest(own, description)
        if label is not None and (self._foreign or own.category is None or sure > own.confidence) and sure >= _LIKE_MIN:
            return replace(own, category=label, confidence=round(sure, 3), why=Why.LIKE)
        if self._foreign and own.category not in self._seen:
            return replace(own, category=None, confidence=0.0, why=Why.NONE)
        return own

    def _learn(self, description: str, label: str) -> None:
        guess = categorise(description)
        if not label:
            return
        self.exact[_exact_key(guess)] = label
        self._seen[label] += 1
        hints = self._hints.setdefault(label, defaultdict(float))
        for hint, weight in _hints_of(guess, description).items():
            hints[hint] += weight
            self._totals[label] += weight
            self._known.add(hint)

    def _likeliest(self, guess: Guess, description: str) -> tuple[str | None, float]:
        """Naive Bayes over the hints that were seen before."""
        hints = {hint: weight for hint, weight in _hints_of(guess, description).items() if hint in self._known}
        if not hints:
            return None, 0.0
        everything, kinds = sum(self._seen.values()), len(self._known)
        scores = {}
        for label, seen in self._seen.items():
            mine, total = self._hints[label], self._totals[label] + _SMOOTH * kinds
            # How often a label comes says less than what the description says.
            score = 0.5 * math.log(seen / everything)
            for hint, weight in hints.items():
                score += weight * math.log((mine.get(hint, 0.0) + _SMOOTH) / total)
            scores[label] = score / _COOL
        best = max(scores, key=lambda label: (scores[label], label))
        return best, 1 / sum(math.exp(max(score - scores[best], -700)) for score in scores.values())


def _exact_key(guess: Guess) -> str:
    return guess.key


def _hints_of(guess: Guess, description: str) -> dict[str, float]:
    cleaned = clean(description)
    hints = {f"word:{word}": _WORD for word in cleaned.words if not word.isdigit()}
    hints |= {f"name:{word}": _NAME for word in guess.key.split() if not word.isdigit()}
    for word in guess.key.split():
        hints |= {f"piece:{word[at : at + 4]}": _PIECE for at in range(max(1, len(word) - 3)) if len(word) >= 4}
    hints[f"own:{guess.category}"] = _OWN
    hints[f"why:{guess.why}"] = _WORD
    return hints
