"""
Who may move money without an Approval. This is the whole list; what is not here asks the person.

Source: docs/payments.md, "Approval".
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from accounts import selectors as accounts
from accounts.models import Membership, Person
from compliance import limits
from core.money import Money
from core.rates import RateMissing
from payments.bills.models import Bill, BillState

# In the reference currency.
SMALL_AMOUNT: Final = Money(30_00, "EUR")


def transfer_exempt(*, by: Person, present: bool, amount: Money, payee_party: UUID) -> bool:
    """
    Whether a transfer may go without an Approval.

    `present` says that the person themself is acting now (signed in, or over an app they use). A partner's client
    credentials, a mandate or a schedule is never present, and then nothing is exempt.
    """
    if not present:
        return False
    return _small(amount) or _own(by, payee_party)


def payout_exempt(*, present: bool, amount: Money) -> bool:
    """Whether money may go to a bank account without an Approval: small amounts, while the person themself is acting."""
    return present and _small(amount)


def bill_exempt(*, by: Person, present: bool, amount: Money, payee_party: UUID | None) -> bool:
    """Whether a bill may be set up or changed without an Approval: as one of its runs would be, were it paid by hand."""
    if payee_party is None:
        return payout_exempt(present=present, amount=amount)
    return transfer_exempt(by=by, present=present, amount=amount, payee_party=payee_party)


def bill_run_exempt(*, bill: Bill, amount: Money, payee_party: UUID | None, bank_account: UUID | None) -> bool:
    """
    A run of an active bill goes by the mandate that was given when the bill was set up: to its payee, and no more than
    its amount or its limit. Nobody is present, and nothing else is covered.
    """
    return (
        bill.state == BillState.ACTIVE
        and amount.currency == bill.currency
        and amount <= bill.amount
        and (payee_party, bank_account) == (bill.payee_party_id, bill.bank_account_id)
    )


def _own(by: Person, payee_party: UUID) -> bool:
    """Between parties the person disposes of: nobody else could gain."""
    return accounts.role_of(by, payee_party) in (Membership.Role.OWNER, Membership.Role.ADMIN)


def _small(amount: Money) -> bool:
    try:
        return limits.reference(amount) <= SMALL_AMOUNT
    except RateMissing:
        return False


# A top-up takes nothing from a wallet, and the card's bank asks its holder (3-D Secure).
TOP_UP_EXEMPT: Final = True
# Between a wallet and its own pots nothing changes hands (wallets.pots).
POT_EXEMPT: Final = True
# Staff reverse and refund under their own rights and audit, towards the one the money came from.
STAFF_UNDO_EXEMPT: Final = True
