"""Accounts at the sandbox's bank that behave in a special way. Any other account with correct check digits takes its money."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Lengths of ISO 13616's registry, for the countries that the bank reaches.
_LENGTHS: Mapping[str, int] = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SA": 24, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "TR": 26, "UA": 29, "VA": 22,
}  # fmt: skip


@dataclass(frozen=True)
class TestAccount:
    iban: str
    what: str
    refused: str = ""
    returned: str = ""
    seconds: float = 1.0
    # Sent back this long after it was settled.
    returned_later: float | None = None

    @property
    def shown(self) -> str:
        return grouped(self.iban)


ACCOUNTS: tuple[TestAccount, ...] = (
    TestAccount("DE89370400440532013000", "Settles after a second, as every other account"),
    TestAccount("DE41370400440000000001", "Sent back after 2 s: the account is closed (AC04)", returned="AC04", seconds=2),
    TestAccount("DE14370400440000000002", "Settles late, after 8 s", seconds=8),
    TestAccount("DE84370400440000000003", "Refused at once: there is no such account (AC01)", refused="AC01"),
    TestAccount("DE57370400440000000004", "Settles, and is sent back 3 s later (MS03)", returned="MS03", returned_later=3),
)
BY_IBAN: Mapping[str, TestAccount] = {account.iban: account for account in ACCOUNTS}
OTHER = TestAccount("", "")


def grouped(iban: str) -> str:
    return " ".join(re.findall(".{1,4}", iban))


def iban_valid(text: str) -> bool:
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", text) or _LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1
