"""
Safe to spend: what is there, less what is set aside, what lies in pots and what has to be paid before the next income.

Source: docs/budgeting.md, "Safe to spend".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from budgeting.categorise import INCOME
from budgeting.income import LOOK_BACK, Received, next_income
from budgeting.models import FeedItem, Kind
from budgeting.selectors.bills import BillDue, bills_due
from budgeting.selectors.budgets import per_day
from budgeting.selectors.keepers import Keeper, month_after, today_of
from core import rates
from core.money import Money, Rounding
from wallets import selectors as wallets
from wallets.selectors import Balance

# A shop is paid a thousand times a month; the newest are enough to see what comes regularly.
RECEIVED_MAX = 500


@dataclass(frozen=True, slots=True)
class BillLine:
    """A bill that comes, and what it is in the home currency (None: no rate, and so left out)."""

    bill: BillDue
    home: Money | None


@dataclass(frozen=True, slots=True)
class SafeToSpend:
    """
    `amount` = `balance` - `held` - `pots` - `bills`, all in the home currency. Bills are counted up to and including `until`: the day
    before the next income, or the last day of the month when no income is expected. `missing` are currencies without a rate.
    """

    balance: Money
    held: Money
    pots: Money
    lines: tuple[BillLine, ...]
    today: date
    until: date
    income_on: date | None
    rate_date: date | None
    missing: tuple[str, ...]

    @property
    def bills(self) -> Money:
        total = Money(0, self.balance.currency)
        for line in self.lines:
            total += line.home or Money(0, self.balance.currency)
        return total

    @property
    def amount(self) -> Money:
        return self.balance - self.held - self.pots - self.bills

    @property
    def days(self) -> int:
        """Today counts."""
        return (self.until - self.today).days + 1

    @property
    def per_day(self) -> Money | None:
        return per_day(self.amount, self.days)

    @property
    def is_short(self) -> bool:
        return self.amount.amount < 0


def safe_to_spend(party_id: UUID, keeper: Keeper, *, now: datetime, balances: Sequence[Balance] | None = None) -> SafeToSpend:
    """`balances` are those of the party's open wallets, where the caller has read them already."""
    if balances is None:
        balances = list(wallets.balances_of(wallets.wallets_for(party_id)).values())
    today = today_of(now, keeper)
    income = next_income(_received(party_id, keeper, today), today)
    until = (income.on if income else month_after(today.replace(day=1))) - timedelta(days=1)
    bills = bills_due(party_id, since=today, until=until)
    total = wallets.total_of([balance.total for balance in balances], keeper.currency)
    held = wallets.total_of([balance.held for balance in balances], keeper.currency)
    in_pots = wallets.total_of([balance.pots for balance in balances], keeper.currency)
    homes = rates.convert_all([bill.amount for bill in bills], keeper.currency, rounding=Rounding.UP)
    dates = [found.rate_date for bill, found in zip(bills, homes, strict=True) if found and bill.amount.currency != keeper.currency]
    dates += [found.rate_date for found in (total, held, in_pots) if found.rate_date]
    return SafeToSpend(
        balance=total.money,
        held=held.money,
        pots=in_pots.money,
        lines=tuple(BillLine(bill, found.money if found else None) for bill, found in zip(bills, homes, strict=True)),
        today=today,
        until=until,
        income_on=income.on if income else None,
        rate_date=min(dates, default=None),
        missing=tuple(sorted({*total.missing, *(bill.amount.currency for bill, found in zip(bills, homes, strict=True) if not found)})),
    )


def _received(party_id: UUID, keeper: Keeper, today: date) -> list[Received]:
    rows = FeedItem.objects.filter(
        party_id=party_id,
        category=INCOME,
        kind=Kind.TRANSFER_IN,
        on_date__gte=today - LOOK_BACK,
        home_currency=keeper.currency,
        home_minor__isnull=False,
    ).order_by("-at", "-id")
    newest = rows.values_list("key_index", "on_date", "home_minor")[:RECEIVED_MAX]
    return [Received(source, on, minor) for source, on, minor in newest if minor is not None]
