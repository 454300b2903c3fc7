"""The payments that bills make by themselves, under the mandate the person gave."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from core.money import Money
from payments import exemptions
from payments.bills.errors import MandateExceeded
from payments.bills.models import Bill
from payments.models import Kind, Payment
from payments.services import payouts, transfers
from payments.services.bank_accounts import carried_check
from payments.services.movements import request_hash, source_check
from wallets.errors import WalletClosed


def bill_pay(*, bill: Bill, period: str, amount: Money, now: datetime) -> Payment:
    """
    Pay one period of a bill, in the caller's transaction; a bank is asked after it, by the sweep.

    The payment's id, and with it the ledger's key, is made of bill and period: however often and by however many processes
    this is called, the money moves once. Returns the payment: `posted`, `held`, or `pending` towards a bank.

    :raises InsufficientFunds, LimitExceeded, RateMissing: not now, perhaps later.
    :raises WalletClosed, PayeeClosed, BankRefused: not any more.
    :raises MandateExceeded: not what was agreed.
    """
    payment = bill_payment(bill=bill, period=period, amount=amount, now=now)
    if bill.payee_party_id is None:
        carried_check(amount)
        return payouts.start(payment, bill.wallet, now, ask_at=now)
    return transfers.post(payment, bill.wallet, now)


def bill_payment(*, bill: Bill, period: str, amount: Money, now: datetime) -> Payment:
    """
    The payment of one period, not saved and nothing moved yet.

    :raises WalletClosed: the bill's wallet.
    :raises MandateExceeded: not what was agreed.
    """
    source = bill.wallet
    if not exemptions.bill_run_exempt(bill=bill, amount=amount, payee_party=bill.payee_party_id, bank_account=bill.bank_account_id):
        raise MandateExceeded(f"bill {bill.id} {period}")
    try:
        source_check(source, amount)
    except WalletClosed as error:
        raise WalletClosed(field="wallet") from error
    return Payment(
        id=payment_id_of(bill.id, period),
        kind=Kind.PAYOUT if bill.payee_party_id is None else Kind.TRANSFER,
        party_id=bill.party_id,
        payer_party_id=bill.party_id,
        payee_party_id=bill.payee_party_id,
        bank_account_id=bill.bank_account_id,
        wallet_from=source,
        amount_minor=amount.amount,
        currency=amount.currency,
        note=bill.note,
        by_person_id=bill.by_person_id,
        approval_id=bill.approval_id,
        idempotency_key=f"bill:{bill.id}:{period}",
        request_hash=request_hash(kind="bill", bill=bill.id, period=period),
        created_at=now,
    )


def payment_id_of(bill_id: UUID, period: str) -> UUID:
    return uuid5(bill_id, period)
