"""Monthly budgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from budgeting import selectors
from budgeting.categorise import CATEGORIES
from budgeting.errors import CategoryNotBudgeted, CategoryUnknown
from budgeting.models import Budget
from core.money import CurrencyMismatch, Money, amount_check


@transaction.atomic
def budgets_set(*, party_id: UUID, amounts: Mapping[str, Money | None], now: datetime) -> None:
    """
    What to spend on these categories each month, from this month on; None takes a budget away. Other categories stay.
    Amounts are in the home currency of whoever keeps the party's books, this month is the month in their time zone.

    :raises CategoryUnknown, CategoryNotBudgeted: about a category.
    :raises AmountInvalid, CurrencyMismatch: about an amount.
    """
    keeper = selectors.keeper_of(party_id)
    month = selectors.month_of(now, keeper)
    held = {budget.category: budget for budget in selectors.budgets_held(party_id, month)}
    for code, amount in amounts.items():
        _check(code, amount, keeper.currency)
        before = held[code].amount if code in held else None
        if amount != before:
            Budget.objects.update_or_create(
                party_id=party_id,
                category=code,
                from_month=month,
                defaults={"amount_minor": amount.amount if amount else None, "currency": keeper.currency},
            )


def _check(code: str, amount: Money | None, currency: str) -> None:
    if code not in CATEGORIES:
        raise CategoryUnknown(category=code[:40])
    if not CATEGORIES[code].spending:
        raise CategoryNotBudgeted(category=code)
    if amount is not None:
        amount_check(amount)
        if amount.currency != currency:
            raise CurrencyMismatch(expected=currency, found=amount.currency)
