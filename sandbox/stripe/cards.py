"""The cards that work here. A number that is not one of them is never stored, logged or shown again: it might be somebody's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Outcome(StrEnum):
    SUCCEEDS = "succeeds"
    DECLINED = "declined"
    CHALLENGE = "challenge"
    LATE = "late"
    LATE_FAILURE = "late_failure"


class RefundOutcome(StrEnum):
    SUCCEEDS = "succeeds"
    PENDING = "pending"
    FAILS = "fails"


@dataclass(frozen=True)
class Decline:
    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class TestCard:
    number: str
    brand: str
    what: str
    outcome: Outcome = Outcome.SUCCEEDS
    decline: Decline | None = None
    refund: RefundOutcome = RefundOutcome.SUCCEEDS

    __test__ = False

    @property
    def grouped(self) -> str:
        if self.brand == "amex":
            return f"{self.number[:4]} {self.number[4:10]} {self.number[10:]}"
        return " ".join(re.findall("....", self.number))

    @property
    def cvc_length(self) -> int:
        return 4 if self.brand == "amex" else 3


GENERIC_DECLINE = Decline("card_declined", "generic_decline", "Your card was declined.")
CHALLENGE_FAILED = Decline(
    "payment_intent_authentication_failure",
    None,
    "The provided payment method has failed authentication. You can provide payment_method_data or a new PaymentMethod "
    "to attempt to fulfill this PaymentIntent again.",
)

_DECLINED = [
    ("4000000000000002", "Declined", "card_declined", "generic_decline", "Your card was declined."),
    ("4000000000009995", "Insufficient funds", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
    ("4000000000009987", "Lost card", "card_declined", "lost_card", "Your card was declined."),
    ("4000000000000069", "Expired card", "expired_card", None, "Your card has expired."),
    ("4000000000000127", "Wrong security code", "incorrect_cvc", None, "Your card's security code is incorrect."),
    ("4000000000000119", "Error at the bank", "processing_error", None, "An error occurred while processing your card. Try again soon."),
]

CARDS: tuple[TestCard, ...] = (
    TestCard("4242424242424242", "visa", "Succeeds"),
    TestCard("5555555555554444", "mastercard", "Succeeds"),
    TestCard("378282246310005", "amex", "Succeeds (4-digit security code)"),
    *(TestCard(number, "visa", what, Outcome.DECLINED, Decline(code, reason, text)) for number, what, code, reason, text in _DECLINED),
    TestCard("4000002500003155", "visa", "Asks for 3-D Secure", Outcome.CHALLENGE),
    TestCard("4000000000003220", "visa", "Asks for 3-D Secure", Outcome.CHALLENGE),
    TestCard("4000000000000341", "visa", "Processing, succeeds later", Outcome.LATE),
    TestCard("4000000000000358", "visa", "Processing, fails later", Outcome.LATE_FAILURE, GENERIC_DECLINE),
    TestCard("4000000000007726", "visa", "Succeeds; its refunds are pending first", refund=RefundOutcome.PENDING),
    TestCard("4000000000005126", "visa", "Succeeds; its refunds fail later", refund=RefundOutcome.FAILS),
)

BY_NUMBER: Mapping[str, TestCard] = {card.number: card for card in CARDS}


@dataclass(frozen=True)
class CardInput:
    card: TestCard
    exp_month: int
    exp_year: int
    holder: str


class CardInvalid(Exception):
    """The form has errors; `fields` says which, in words for the person."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


def luhn_valid(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def card_read(form: Mapping[str, str], *, today: date) -> CardInput:
    """
    :raises CardInvalid: one or more fields are missing or wrong.
    """
    errors: dict[str, str] = {}
    card = _number_read(form.get("number", ""), errors)
    expiry = _expiry_read(form.get("expiry", ""), today, errors)
    _cvc_check(form.get("cvc", ""), card, errors)
    holder = form.get("name", "").strip()
    if not holder:
        errors["name"] = "Enter the name on the card."
    elif len(holder) > 100 or not holder.isprintable():
        errors["name"] = "Enter a name of at most 100 letters."
    if errors or card is None or expiry is None:
        raise CardInvalid(errors)
    return CardInput(card=card, exp_month=expiry[0], exp_year=expiry[1], holder=holder)


def _number_read(text: str, errors: dict[str, str]) -> TestCard | None:
    number = re.sub(r"[\s-]", "", text)
    if not number:
        errors["number"] = "Enter a card number."
    elif not re.fullmatch(r"[0-9]{12,19}", number):
        errors["number"] = "A card number has 12 to 19 digits."
    elif not luhn_valid(number):
        errors["number"] = "Check the card number: its digits do not add up."
    elif number not in BY_NUMBER:
        errors["number"] = "Only test cards work here. Choose one from the list below."
    return BY_NUMBER.get(number)


def _expiry_read(text: str, today: date, errors: dict[str, str]) -> tuple[int, int] | None:
    match = re.fullmatch(r"\s*([0-9]{1,2})\s*[/\-. ]\s*((?:[0-9]{2}){1,2})\s*|\s*([0-9]{2})([0-9]{2})\s*", text)
    if not text.strip():
        errors["expiry"] = "Enter the expiry date."
        return None
    if match is None:
        errors["expiry"] = "Write the expiry date as month / year, like 12 / 34."
        return None
    month, year = int(match[1] or match[3]), int(match[2] or match[4])
    year += 2000 if year < 100 else 0
    if not 1 <= month <= 12:
        errors["expiry"] = "The month is a number from 1 to 12."
        return None
    if (year, month) < (today.year, today.month):
        errors["expiry"] = "This card has expired."
        return None
    if year > today.year + 50:
        errors["expiry"] = "Check the year: it is too far away."
        return None
    return month, year


def _cvc_check(text: str, card: TestCard | None, errors: dict[str, str]) -> None:
    cvc = text.strip()
    lengths = {card.cvc_length} if card else {3, 4}
    if not cvc:
        errors["cvc"] = "Enter the security code."
    elif not (cvc.isascii() and cvc.isdigit() and len(cvc) in lengths):
        digits = " or ".join(str(length) for length in sorted(lengths))
        errors["cvc"] = f"The security code has {digits} digits."
