"""Reads for pages that are composed of several apps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import Person
from budgeting import selectors as budgeting
from budgeting.selectors import SafeToSpend
from compliance import limits
from compliance.limits import LimitStatus
from compliance.models import Level
from core import charts, rates
from core.money import Money, Rounding
from core.rates import RateMissing
from payments import selectors as payments
from payments.presenting import PaymentView
from wallets import selectors as wallets
from wallets.models import Wallet
from wallets.pots import selectors as pots
from wallets.pots.selectors import PotView
from wallets.selectors import Balance, EntryRow, Total

CHART_DAYS = 30
LATEST = 6
HISTORY_ROWS = 30


@dataclass(frozen=True, slots=True)
class WalletRow:
    wallet: Wallet
    balance: Balance


@dataclass(frozen=True, slots=True)
class HomePage:
    total: Total
    wallets: list[WalletRow]
    latest: list[PaymentView]
    chart: charts.LineChart | None
    has_paid: bool
    safe: SafeToSpend

    @property
    def is_new(self) -> bool:
        return not self.latest


@dataclass(frozen=True, slots=True)
class LimitsPage:
    level: Level
    outgoing: list[LimitStatus]
    incoming: list[LimitStatus]
    balance: list[LimitStatus]


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """An entry of the ledger with the payment or the pot behind it; neither for a fee or an adjustment."""

    entry: EntryRow
    view: PaymentView | None
    pot: str = ""


@dataclass(frozen=True, slots=True)
class WalletPage:
    wallet: Wallet
    balance: Balance
    pots: list[PotView]
    rows: list[HistoryRow]
    next_before: int | None


def home_for(person: Person, *, now: datetime, language: str) -> HomePage:
    rows = wallet_rows(person.party_id)
    latest = payments.payments_latest(person.party_id, limit=LATEST)
    return HomePage(
        total=wallets.total_of([row.balance.total for row in rows], person.home_currency),
        wallets=rows,
        latest=latest,
        # The shape of a line tells as much as its figures, so hidden amounts have no chart.
        chart=_chart(person, rows, now, language) if latest and not person.hide_amounts else None,
        has_paid=any(view.is_transfer and not view.incoming for view in latest),
        safe=budgeting.safe_to_spend(person.party_id, budgeting.keeper_is(person), now=now, balances=[row.balance for row in rows]),
    )


def wallet_rows(party_id: UUID) -> list[WalletRow]:
    found = list(wallets.wallets_for(party_id))
    balances = wallets.balances_of(found)
    return [WalletRow(wallet, balances[wallet.id]) for wallet in found]


def reference_balance(party_id: UUID) -> Money | None:
    """Everything the party holds, in the currency that limits are counted in; None when there is no rate for it."""
    try:
        return wallets.total_for(party_id, settings.HUB_REFERENCE_CURRENCY).money
    except RateMissing:
        return None


def wallet_page(person: Person, wallet_id: UUID, *, before_seq: int | None) -> WalletPage:
    """
    A wallet with a page of its history; `before_seq` is where the page before ended.

    :raises WalletNotFound: not there, or somebody else's.
    """
    wallet = wallets.wallet_get(person.party_id, wallet_id)
    entries = wallets.entries_for(wallet, before_seq=before_seq, limit=HISTORY_ROWS + 1)
    shown = entries[:HISTORY_ROWS]
    views = payments.payments_by_id(person.party_id, {UUID(entry.meta["payment"]) for entry in shown if "payment" in entry.meta})
    names = pots.pot_names(person.party_id, {UUID(entry.meta["pot"]) for entry in shown if "pot" in entry.meta})
    return WalletPage(
        wallet=wallet,
        balance=wallets.balance_of(wallet),
        pots=pots.views_of(pots.pots_for(wallet.id)),
        rows=[
            HistoryRow(
                entry,
                views.get(UUID(entry.meta["payment"])) if "payment" in entry.meta else None,
                names.get(UUID(entry.meta["pot"]), "") if "pot" in entry.meta else "",
            )
            for entry in shown
        ],
        next_before=shown[-1].seq if len(entries) > HISTORY_ROWS else None,
    )


def limits_page(person: Person, *, now: datetime) -> LimitsPage:
    statuses = limits.limits_for(person.party_id, now, balance=reference_balance(person.party_id))
    return LimitsPage(
        level=limits.level_for(person.party_id, now),
        outgoing=[status for status in statuses if status.direction == "out"],
        incoming=[status for status in statuses if status.direction == "in"],
        balance=[status for status in statuses if status.direction not in ("in", "out")],
    )


def _chart(person: Person, rows: list[WalletRow], now: datetime, language: str) -> charts.LineChart | None:
    """The total at the end of each of the last days, at today's rates: what moves the line is money, not exchange."""
    zone = ZoneInfo(person.time_zone or "UTC")
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(CHART_DAYS - 1, -1, -1)]
    ends = [datetime.combine(day + timedelta(days=1), time(), tzinfo=zone) for day in days]
    per_home: dict[str, Decimal] = {}
    for row in rows:
        try:
            per_home[row.wallet.currency] = rates.rate(row.wallet.currency, person.home_currency)[0]
        except RateMissing:
            # Left out of the total as well, which says so.
            continue
    counted = [row.wallet for row in rows if row.wallet.currency in per_home]
    if not counted:
        return None
    at_ends = wallets.totals_at(counted, ends)
    series = []
    for index, day in enumerate(days):
        total = sum((at_ends[wallet.id][index].decimal * per_home[wallet.currency] for wallet in counted), Decimal(0))
        series.append((day, Money.from_decimal(total, person.home_currency, rounding=Rounding.HALF_EVEN)))
    return charts.line_chart(series, language=language, name=_("Your total over 30 days"), value_name=_("Total"))
