"""What payments keep about a party, and for how long."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from core import privacy
from payments.bills.models import Bill
from payments.models import BankAccount, Mismatch, Payment, ProviderEvent


def export(party_id: UUID) -> dict[str, Any]:
    rows = Payment.objects.filter(Q(payer_party_id=party_id) | Q(payee_party_id=party_id)).order_by("created_at", "id")
    return {
        "payments": [
            {
                "id": str(row.id),
                "kind": row.kind,
                "state": row.state,
                "direction": "out" if row.payer_party_id == party_id else "in",
                "amount": row.amount_minor,
                "currency": row.currency,
                "note": row.note,
                "created_at": row.created_at.isoformat(),
                "settled_at": row.settled_at.isoformat() if row.settled_at else None,
            }
            for row in rows.iterator()
        ],
        "bank_accounts": [
            {"id": str(row.id), "iban": row.iban, "holder": row.name, "created_at": row.created_at.isoformat()}
            for row in BankAccount.objects.filter(party_id=party_id).order_by("created_at", "id").iterator()
        ],
        "bills": [_bill(row) for row in Bill.objects.filter(party_id=party_id).order_by("created_at", "id").iterator()],
        "top_ups_reported_otherwise": [
            {
                "payment": str(row.payment_id),
                "asked": row.asked_minor,
                "asked_currency": row.asked_currency,
                "reported": row.reported_minor,
                "reported_currency": row.reported_currency,
                "reported_at": row.reported_at.isoformat(),
                "decision": row.decision,
            }
            for row in Mismatch.objects.filter(payment__party_id=party_id).order_by("reported_at", "id").iterator()
        ],
        "provider_messages": [
            {"gateway": row.gateway, "name": row.name, "received_at": row.received_at.isoformat(), "body": row.body}
            for row in ProviderEvent.objects.filter(owner_id=party_id).order_by("received_at", "id").iterator()
        ],
    }


def _bill(row: Bill) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "note": row.note,
        "state": row.state,
        "amount": row.amount_minor,
        "amount_kind": row.amount_kind,
        "currency": row.currency,
        "payee_party": str(row.payee_party_id) if row.payee_party_id else None,
        "bank_account": str(row.bank_account_id) if row.bank_account_id else None,
        "every": f"{row.interval} {row.every}",
        "first_on": row.first_on.isoformat(),
        "last_on": row.last_on.isoformat() if row.last_on else None,
        "change": row.change,
        "created_at": row.created_at.isoformat(),
    }


def keeps(party_id: UUID) -> bool:
    """Whether a payment, a bank account or a bill names the party, whatever became of it."""
    payments = Payment.objects.filter(Q(party_id=party_id) | Q(payer_party_id=party_id) | Q(payee_party_id=party_id))
    bills = Bill.objects.filter(Q(party_id=party_id) | Q(payee_party_id=party_id))
    return payments.exists() or bills.exists() or BankAccount.objects.filter(party_id=party_id).exists()


def erase(party_id: UUID, now: datetime) -> None:
    """Notes, page addresses and raw messages are under the party's key, which is destroyed with it; amounts and ids stay."""


privacy.register(
    "payments",
    export=export,
    erase=erase,
    keeps=keeps,
    retention="Amounts, dates and states: seven years, as books must be kept. Notes and raw provider messages: until erased.",
    fields=(
        "payments.payment.note",
        "payments.bankaccount.iban",
        "payments.bankaccount.name",
        "payments.bill.name",
        "payments.bill.note",
        "payments.bill.change",
        "payments.providerlink.url",
        "payments.providerevent.body",
    ),
)
