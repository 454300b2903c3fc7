"""What budgeting keeps about a party, and for how long."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from budgeting.models import Budget, FeedItem, Rule
from core import privacy


def export(party_id: UUID) -> dict[str, Any]:
    return {
        "feed": [
            {
                "payment_id": str(row.payment_id),
                "kind": row.kind,
                "at": row.at.isoformat(),
                "amount": row.amount_minor,
                "currency": row.currency,
                "merchant": row.merchant,
                "counterparty": row.counterparty,
                "category": row.category,
                "why": row.why,
            }
            for row in FeedItem.objects.filter(party_id=party_id).order_by("at", "id").iterator()
        ],
        "rules": [
            {"merchant": row.merchant, "category": row.category, "created_at": row.created_at.isoformat()}
            for row in Rule.objects.filter(party_id=party_id).order_by("created_at", "id")
        ],
        "budgets": [
            {"category": row.category, "from_month": row.from_month.isoformat(), "amount": row.amount_minor, "currency": row.currency}
            for row in Budget.objects.filter(party_id=party_id).order_by("from_month", "category")
        ],
    }


def erase(party_id: UUID, now: datetime) -> None:
    """Everything: the feed is made from payments, which keep what the law asks for, and habits are nobody's business any more."""
    for model in (FeedItem, Rule, Budget):
        model.objects.filter(party_id=party_id).delete()


privacy.register(
    "budgeting",
    export=export,
    erase=erase,
    retention="As long as the account is open; all of it is deleted on erasure.",
    fields=(
        "budgeting.feeditem.counterparty",
        "budgeting.feeditem.merchant",
        "budgeting.feeditem.key",
        "budgeting.rule.merchant",
        "budgeting.rule.key",
    ),
)
