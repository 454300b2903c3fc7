"""
What a statement says, whatever its format.

Amounts are Decimals in the currency's own unit with all its decimals (12.50, 1250 for yen), negative is money out. Days are
those of the account's zone. Texts are as people wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

# What XML 1.0 cannot carry at all, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class StatementRefused(Exception):
    """A file that cannot be read as a whole. `code` is stable, `line` where it was seen (None: nowhere in particular)."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code, self.line = code, line


@dataclass(frozen=True, slots=True)
class Transaction:
    """
    One line. `bank_id` is the account keeper's own id of the movement, unique within the account; `reference` the id of the
    payment it belongs to ("" for none); `kind` a short code of what it was. `booked_at` is None where only the day is known.
    """

    booked_on: date
    amount: Decimal
    currency: str
    bank_id: str
    booked_at: datetime | None = None
    value_on: date | None = None
    counterparty: str = ""
    description: str = ""
    kind: str = ""
    reference: str = ""
    balance: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """
    What stands above the lines. `id` has at most 35 characters, `account` 34 and `account_short` 22 (as the formats allow);
    `since` and `until` are both part of the period. `proof` says how the statement can be proved, in words and ids.
    """

    id: str
    account: str
    account_short: str
    owner: str
    currency: str
    since: date
    until: date
    opening: Decimal
    closing: Decimal
    made_at: datetime
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was read. What the file does not say is None or ""."""

    format: str
    account: str
    currency: str
    opening: Decimal | None
    closing: Decimal | None
    since: date | None
    until: date | None
    transactions: Sequence[Transaction]
    proof: str = ""


def xml_text(text: str) -> str:
    """
    The text as character data of XML. What XML has no way to write becomes U+FFFD; line ends keep what they are.
    """
    clean = _NOT_XML.sub("\ufffd", text)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def parts(text: str, size: int) -> list[str]:
    """The text in pieces of at most `size` characters, in order."""
    return [text[start : start + size] for start in range(0, len(text), size)]
