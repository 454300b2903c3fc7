"""Accounts at other banks: checked, kept, and whether our bank can pay them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from stdnum import iban as ibans
from stdnum.exceptions import ValidationError

from core import crypto
from core.money import Money, ascii_digits
from payments import gateways
from payments.errors import BankRefused, HolderRequired, IbanInvalid, failure_text
from payments.gateways.base import GatewayRefused
from payments.models import HOLDER_MAX, BankAccount


def iban_check(text: str) -> str:
    """
    The IBAN without blanks, in capitals: its country, length, check digits and the country's own rules are right.

    :raises IbanInvalid: they are not.
    """
    try:
        found: str = ibans.validate(ascii_digits(text))
    except (ValidationError, ValueError) as error:
        raise IbanInvalid() from error
    if not found.isascii():
        raise IbanInvalid()
    return found


def holder_check(text: str) -> str:
    """:raises HolderRequired: no name, or one that no bank takes."""
    found = " ".join(text.split())
    if not 0 < len(found) <= HOLDER_MAX or not found.isprintable():
        raise HolderRequired()
    return found


def bank_account_get(*, party_id: UUID, iban: str, name: str, now: datetime) -> BankAccount:
    """
    The party's record of this account under this name; made when it is new.

    :raises IbanInvalid, HolderRequired: about the input.
    """
    number, holder = iban_check(iban), holder_check(name)
    index = crypto.blind_index("payments.bankaccount.iban", number)
    for known in BankAccount.objects.filter(party_id=party_id, iban_index=index).order_by("created_at", "id"):
        if known.name == holder:
            return known
    return BankAccount.objects.create(party_id=party_id, iban=number, name=holder, created_at=now)


def carried_check(amount: Money) -> None:
    """:raises BankRefused: the bank does not carry this currency."""
    try:
        gateways.bank_gateway().amount_check(amount)
    except GatewayRefused as error:
        raise BankRefused(failure_text(error.code), provider_code=error.code) from error
