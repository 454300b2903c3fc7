"""Everything that can be checked about identity data without asking anybody. Pure: the day is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from accounts.errors import NameInvalid
from accounts.values import name_checked
from compliance.identity import errors
from compliance.identity.countries import COUNTRIES
from compliance.identity.models import DocumentKind
from compliance.identity.numbers import NumberImpossible, birth_date_contradicts, document_number_check, personal_number_check
from core.errors import HubError

AGE_MIN = 18
AGE_MAX = 125
ADDRESS_MAX = 120


@dataclass(frozen=True, slots=True)
class Submission:
    """What a person says, as typed."""

    legal_name: str
    birth_date: date
    country: str
    street: str
    postcode: str
    city: str
    document_kind: str
    document_country: str
    document_number: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """`said` is the submission in canonical form. It passed when there are no `problems`."""

    said: Submission
    format_known: bool
    problems: list[HubError]


def age_on(born: date, day: date) -> int:
    """Whole years; who was born on 29 February gets older on 1 March where there is none."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def submission_check(typed: Submission, *, today: date) -> Outcome:
    problems: list[HubError] = []
    name = _name(typed.legal_name, problems)
    age = age_on(typed.birth_date, today)
    if typed.birth_date > today or age > AGE_MAX:
        problems.append(errors.BirthDateImpossible())
    elif age < AGE_MIN:
        problems.append(errors.TooYoung(age=AGE_MIN))
    for field, code in (("country", typed.country), ("document_country", typed.document_country)):
        if code not in COUNTRIES:
            problems.append(errors.CountryUnknown(field=field))
    address = {field: _line(getattr(typed, field)) for field in ("street", "postcode", "city")}
    # Some countries have no postcodes.
    problems += [errors.AddressInvalid(field=field) for field in ("street", "city") if not any(char.isalnum() for char in address[field])]
    problems += [errors.AddressInvalid(field=field) for field, line in address.items() if len(line) > ADDRESS_MAX]
    number, known = _document(typed, problems)
    said = Submission(
        name, typed.birth_date, typed.country, address["street"], address["postcode"], address["city"],
        typed.document_kind, typed.document_country, number,
    )  # fmt: skip
    return Outcome(said, known, problems)


def _name(text: str, problems: list[HubError]) -> str:
    try:
        name = name_checked(text)
    except NameInvalid as error:
        problems.append(errors.NameIncomplete(error.message))
        return text
    if sum(char.isalpha() for char in name) < 2 or any(char.isdigit() for char in name):
        problems.append(errors.NameIncomplete())
    return name


def _line(text: str) -> str:
    return " ".join(text.split())


def _document(typed: Submission, problems: list[HubError]) -> tuple[str, bool]:
    if typed.document_kind not in DocumentKind.values:
        problems.append(errors.DocumentKindUnknown())
        return typed.document_number, False
    try:
        if typed.document_kind != DocumentKind.PERSONAL_NUMBER:
            checked = document_number_check(typed.document_number)
        else:
            checked = personal_number_check(typed.document_country, typed.document_number)
            if checked.known and birth_date_contradicts(typed.document_country, checked.number, typed.birth_date):
                problems.append(errors.BirthDateContradicts())
    except NumberImpossible:
        problems.append(errors.DocumentNumberInvalid())
        return typed.document_number, False
    return checked.number, checked.known
