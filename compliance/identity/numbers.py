"""
Numbers on documents: whether one can be true, and the birth date it carries.

python-stdnum knows the personal numbers of the countries below, with their check digits. Passports and identity cards have no
published format that could be checked beyond letters, digits and length: for those, and for all other countries, the answer
is honestly "format not known".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any, Final

from stdnum.exceptions import ValidationError as NumberRefused

PERSONAL: Final[dict[str, str]] = {
    "AR": "ar.dni", "AT": "at.vnr", "BE": "be.nn", "BG": "bg.egn", "BR": "br.cpf", "CH": "ch.ssn", "CL": "cl.rut", "CN": "cn.ric",
    "CU": "cu.ni", "CZ": "cz.rc", "DE": "de.idnr", "DK": "dk.cpr", "EC": "ec.ci", "EE": "ee.ik", "ES": "es.nif", "FI": "fi.hetu",
    "FR": "fr.nir", "GR": "gr.amka", "HR": "hr.oib", "ID": "id.nik", "IE": "ie.pps", "IL": "il.idnr", "IN": "in_.aadhaar",
    "IS": "is_.kennitala", "IT": "it.codicefiscale", "KR": "kr.rrn", "LT": "lt.asmens", "MX": "mx.curp", "MY": "my.nric",
    "NL": "nl.bsn", "NO": "no.fodselsnummer", "PK": "pk.cnic", "PL": "pl.pesel", "PT": "pt.cc", "RO": "ro.cnp",
    "SE": "se.personnummer", "SI": "si.emso", "SK": "sk.rc", "TH": "th.pin", "TR": "tr.tckimlik", "UA": "ua.rntrc",
    "US": "us.ssn", "ZA": "za.idnr",
}  # fmt: skip
# The number itself says the century; elsewhere two digits of the year are all there is.
_WITH_CENTURY: Final = frozenset({"BG", "CN", "EE", "FI", "IS", "KR", "LT", "PL", "RO", "SI"})
_SHAPE = re.compile(r"[A-Z0-9](?:[A-Z0-9 ./-]{2,28})[A-Z0-9]")
_FINNISH_CENTURIES = {"+": 1800, **dict.fromkeys("-YXWVU", 1900), **dict.fromkeys("ABCDEF", 2000)}


class NumberImpossible(ValueError):
    """The check digits or the shape are wrong."""


@dataclass(frozen=True, slots=True)
class Checked:
    """`number` in its canonical form; `known` says whether there was a format to check it against."""

    number: str
    known: bool


def personal_number_check(country: str, text: str) -> Checked:
    """
    :raises NumberImpossible: it cannot be a personal number of that country.
    """
    module = _module(country)
    if module is None:
        return Checked(_shaped(text), known=False)
    try:
        return Checked(str(module.validate(_ascii(text))), known=True)
    except (NumberRefused, ValueError, OverflowError) as error:
        raise NumberImpossible from error


def document_number_check(text: str) -> Checked:
    """
    A passport or identity card: letters and digits, 4 to 30 of them.

    :raises NumberImpossible: it holds something else.
    """
    return Checked(_shaped(text), known=False)


def birth_date_contradicts(country: str, number: str, born: date) -> bool:
    """Whether a number that passed its check says another birth date than the one given. Numbers without a date never do."""
    said = _birth_date(country, number)
    if said is None:
        return False
    year, month, day = said
    if (month, day) != (born.month, born.day) and day:
        return True
    if month != born.month:
        return True
    return year != born.year if country in _WITH_CENTURY else year % 100 != born.year % 100


def _birth_date(country: str, number: str) -> tuple[int, int, int] | None:
    """Year, month, day; day 0 where the number does not say it."""
    if country == "FI":
        return _FINNISH_CENTURIES[number[6]] + int(number[4:6]), int(number[2:4]), int(number[:2])
    if country == "IS":
        # Numbers of companies have 40 added to the day; those are nobody's birth date.
        return (1800 if number[9] == "8" else 1900 if number[9] == "9" else 2000) + int(number[4:6]), int(number[2:4]), int(number[:2])
    if country == "FR":
        month = int(number[3:5])
        return (int(number[1:3]), month, 0) if 1 <= month <= 12 else None
    module = _module(country)
    if module is None or not hasattr(module, "get_birth_date"):
        return None
    try:
        found = module.get_birth_date(number)
    except (NumberRefused, ValueError):
        return None
    return (found.year, found.month, found.day) if isinstance(found, date) else None


def _module(country: str) -> Any:
    return import_module(f"stdnum.{PERSONAL[country]}") if country in PERSONAL else None


def _ascii(text: str) -> str:
    """Digits of every script as 0-9."""
    return "".join(str(int(char)) if char.isdecimal() and not char.isascii() else char for char in text.strip())


def _shaped(text: str) -> str:
    shaped = " ".join(_ascii(text).upper().split())
    if not _SHAPE.fullmatch(shaped) or sum(char.isalnum() for char in shaped) < 4 or not any(char.isdigit() for char in shaped):
        raise NumberImpossible
    return shaped
