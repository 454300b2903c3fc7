"""A month of spending beside its budgets. Months are those of the keeper of the party's books."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Count, Min, Q, Sum

from budgeting.categorise import CATEGORIES, INCOME, SPENDING, Category
from budgeting.models import Budget, FeedItem
from budgeting.selectors.keepers import Keeper, month_after
from core import rates
from core.money import Money, Rounding

# From this share of a budget on it is nearly used, in per cent.
NEAR_PERCENT = 85


@dataclass(frozen=True, slots=True)
class CategoryMonth:
    """
    One category in one month. `spent` counts what came back against what went out, and is below zero when more came back.
    """

    category: Category
    spent: Money
    count: int
    budget: Money | None

    @property
    def left(self) -> Money | None:
        return self.budget - self.spent if self.budget else None

    @property
    def over(self) -> Money:
        return max(self.spent - self.budget, Money(0, self.spent.currency)) if self.budget else Money(0, self.spent.currency)

    @property
    def state(self) -> str:
        """ "" without a budget, else ok, near or over."""
        if not self.budget:
            return ""
        if self.spent > self.budget:
            return "over"
        return "near" if self.spent.amount * 100 >= self.budget.amount * NEAR_PERCENT else "ok"

    @property
    def used(self) -> int:
        """How much of the meter is filled, 0 to the budget."""
        return min(max(self.spent.amount, 0), self.budget.amount) if self.budget else 0


@dataclass(frozen=True, slots=True)
class MonthView:
    """
    `days_left` counts today; 0 for a month that is over, all days for one that has not begun. `rate_date` is the oldest
    rate used, `missing` counts the items that are left out because there is no rate for their currency.
    """

    month: date
    currency: str
    rows: list[CategoryMonth]
    income: Money
    days_left: int
    rate_date: date | None
    missing: int

    @property
    def budgeted(self) -> list[CategoryMonth]:
        return [row for row in self.rows if row.budget]

    @property
    def others(self) -> list[CategoryMonth]:
        """Without a budget, what most was spent on first."""
        return sorted((row for row in self.rows if not row.budget and row.count), key=lambda row: (-row.spent.amount, row.category.code))

    @property
    def spent(self) -> Money:
        return _sum((row.spent for row in self.rows), self.currency)

    @property
    def budget(self) -> Money | None:
        return _sum((row.budget for row in self.budgeted if row.budget), self.currency) if self.budgeted else None

    @property
    def budget_spent(self) -> Money:
        return _sum((row.spent for row in self.budgeted), self.currency)

    @property
    def left(self) -> Money | None:
        return self.budget - self.budget_spent if self.budget else None

    @property
    def over(self) -> Money:
        zero = Money(0, self.currency)
        return max(self.budget_spent - self.budget, zero) if self.budget else zero

    @property
    def used(self) -> int:
        return min(max(self.budget_spent.amount, 0), self.budget.amount) if self.budget else 0

    def left_per_day(self, left: Money | None) -> Money | None:
        """What can be spent each day that is left, today included; rounded down."""
        return per_day(left, self.days_left)


def per_day(left: Money | None, days: int) -> Money | None:
    """An equal part for each day, rounded down to whole minor units; None without days, zero when nothing is left."""
    if left is None or days <= 0:
        return None
    return Money(max(left.amount, 0) // days, left.currency)


def budgets_held(party_id: UUID, month: date) -> list[Budget]:
    """The row of each category that holds in the month; one whose amount is None holds no budget."""
    rows = Budget.objects.filter(party_id=party_id, from_month__lte=month)
    return list(rows.order_by("category", "-from_month").distinct("category"))


def month_view(party_id: UUID, keeper: Keeper, *, month: date, today: date) -> MonthView:
    """The month in the keeper's home currency: two queries (three where a budget is in another currency)."""
    sums = _sums(party_id, keeper, month)
    budgets = _budgets(party_id, keeper, month)
    rows = []
    for code in SPENDING:
        spent, count = sums[code].spent if code in sums else 0, sums[code].count if code in sums else 0
        rows.append(CategoryMonth(CATEGORIES[code], Money(spent, keeper.currency), count, budgets.get(code)))
    dates = [found.rate_date for found in sums.values() if found.rate_date]
    return MonthView(
        month=month,
        currency=keeper.currency,
        rows=rows,
        income=Money(-sums[INCOME].spent if INCOME in sums else 0, keeper.currency),
        days_left=_days_left(month, today),
        rate_date=min(dates, default=None),
        missing=sum(found.missing for found in sums.values()),
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    spent: int
    count: int
    missing: int
    rate_date: date | None


def _sums(party_id: UUID, keeper: Keeper, month: date) -> dict[str, _Sums]:
    # Items of another home currency wait to be counted anew after it was changed.
    counted = Q(home_currency=keeper.currency, home_minor__isnull=False)
    found = (
        FeedItem.objects.filter(party_id=party_id, on_date__gte=month, on_date__lt=month_after(month))
        .values("category")
        .annotate(total=Sum("home_minor", filter=counted), number=Count("id", filter=counted), all=Count("id"), oldest=Min("rate_date"))
        .order_by("category")
    )
    return {row["category"]: _Sums(-(row["total"] or 0), row["number"], row["all"] - row["number"], row["oldest"]) for row in found}


def _budgets(party_id: UUID, keeper: Keeper, month: date) -> dict[str, Money]:
    held = [(budget.category, budget.amount) for budget in budgets_held(party_id, month) if budget.amount]
    # Budgets set before another home currency was chosen go on at today's rate; without one they wait to be set anew.
    converted = rates.convert_all([amount for _code, amount in held if amount], keeper.currency, rounding=Rounding.HALF_EVEN)
    return {code: found.money for (code, _amount), found in zip(held, converted, strict=True) if found and found.money}


def _days_left(month: date, today: date) -> int:
    end = month_after(month)
    return max(0, (end - max(month, min(today, end))) // timedelta(days=1))


def _sum(amounts: Iterable[Money], currency: str) -> Money:
    total = Money(0, currency)
    for amount in amounts:
        total += amount
    return total
