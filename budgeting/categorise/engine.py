"""
What a payment was for: a person's own rules, what the bank says of itself, brands, merchant codes, telling words.

Pure functions; the same input always gives the same answer, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from budgeting.categorise.brands import brand_of
from budgeting.categorise.cleaning import Cleaned, clean, words_of
from budgeting.categorise.codes import category_of_code
from budgeting.categorise.words import category_of_bank, category_of_words


class Why(StrEnum):
    """Why an item is in its category."""

    CHOSEN = "chosen"  # the person said so, for this item
    RULE = "rule"  # the person said so, for this merchant
    BRAND = "brand"
    CODE = "merchant_code"
    BANK = "bank"  # the bank's own words: a fee, cash
    WORD = "word"  # a word of the name, such as "cafe"
    NOTE = "note"  # a word of the note
    LIKE = "like"  # like something that was corrected
    UNDONE = "undone"  # gives back a payment of this category
    TRANSFER = "transfer"  # the kind of movement alone
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Guess:
    merchant: str
    key: str
    category: str | None
    confidence: float
    why: Why


# A merchant code is what the card network knows, a brand what a name looks like: together they are sure, apart the code
# wins over a doubtful brand.
_CODE_SURE = 0.85
_WORD_SURE = 0.65
_BANK_SURE = 0.9


def categorise(description: str, *, mcc: str = "", country: str = "", rules: Mapping[str, str] | None = None) -> Guess:
    """
    The merchant and the category of a bank's description.

    `rules` are a person's own: a cleaned key ("blue cup") to a category; the longest key that the description's key
    begins with wins over everything else.
    """
    cleaned = clean(description)
    category, confidence, why = _decide(cleaned, mcc, country, rules or {})
    name = cleaned.merchant
    if why is Why.BRAND and (hit := brand_of(tuple(cleaned.key.split()), country=country)) and hit.brand.service:
        name = hit.brand.name
    return Guess(name or " ".join(description.split())[:80], cleaned.key, category, confidence, why)


def _decide(cleaned: Cleaned, mcc: str, country: str, rules: Mapping[str, str]) -> tuple[str | None, float, Why]:
    ruled = rule_for(cleaned.key, rules)
    if ruled is not None:
        return ruled, 1.0, Why.RULE
    bank = category_of_bank(cleaned.words)
    if bank is not None:
        return bank, _BANK_SURE, Why.BANK
    code = category_of_code(mcc)
    words = tuple(cleaned.key.split())
    brand = brand_of(words, country=country)
    if brand and code == brand.brand.category:
        return code, 0.98, Why.BRAND
    if brand and (code is None or brand.sure > _CODE_SURE):
        return brand.brand.category, brand.sure, Why.BRAND
    if code is not None:
        return code, _CODE_SURE, Why.CODE
    word = category_of_words(words)
    if word is not None:
        return word[0], _WORD_SURE, Why.WORD
    return None, 0.0, Why.NONE


def rule_for(key: str, rules: Mapping[str, str]) -> str | None:
    """The rule of the longest key that `key` is, or begins with word by word."""
    words = key.split()
    for end in range(len(words), 0, -1):
        found = rules.get(" ".join(words[:end]))
        if found is not None:
            return found
    return None


def category_of_note(note: str) -> str | None:
    """What the note of a payment between people says it was for; None where it says nothing."""
    words = words_of(note[:200])
    told = category_of_words(words)
    return told[0] if told else category_of_bank(words)
