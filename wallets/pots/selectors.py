"""Reads of pots and their money. `party_id` is always the one who owns; somebody else's pot is not found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import get_language

from core import crypto, formatting
from core.money import Money
from wallets.pots.errors import PotNotFound
from wallets.pots.models import Pot


@dataclass(frozen=True, slots=True)
class PotView:
    """A pot with what is in it."""

    pot: Pot
    balance: Money

    @property
    def left(self) -> Money | None:
        """What is missing to the goal; zero when it is reached, None without one."""
        goal = self.pot.goal
        return None if goal is None else max(goal - self.balance, Money(0, goal.currency))

    @property
    def share(self) -> int:
        """How much of the goal is reached, in whole percent, rounded down: 100 only when it is."""
        goal = self.pot.goal_minor
        return min(100, self.balance.amount * 100 // goal) if goal else 0

    @property
    def share_text(self) -> str:
        return formatting.percent(Decimal(self.share) / 100, get_language() or "en")

    def months_left(self, today: date) -> int | None:
        """Times to put something in until the goal's day: this month and each one up to it."""
        on = self.pot.goal_on
        return max(1, (on.year - today.year) * 12 + on.month - today.month + 1) if on and on >= today else None

    def a_month(self, today: date) -> Money | None:
        """What to put in each month to reach the goal by its day, rounded up; None where there is nothing to say."""
        left, months = self.left, self.months_left(today)
        return Money(-(-left.amount // months), left.currency) if left and months else None


def pots_for(wallet_id: UUID, *, closed: bool = False, after: UUID | None = None) -> QuerySet[Pot]:
    """The wallet's open pots, oldest first (their ids sort by time); with `closed` the closed ones too."""
    found = Pot.objects.filter(wallet_id=wallet_id).order_by("id")
    found = found if closed else found.filter(state=Pot.State.OPEN)
    return found if after is None else found.filter(id__gt=after)


def pot_get(party_id: UUID, pot_id: UUID) -> Pot:
    """:raises PotNotFound: not there, or somebody else's."""
    found = Pot.objects.filter(party_id=party_id, id=pot_id).select_related("wallet").first()
    if found is None:
        raise PotNotFound()
    return found


def view_of(pot: Pot) -> PotView:
    return views_of([pot])[0]


def views_of(pots: Iterable[Pot]) -> list[PotView]:
    """With their balances, all in one query."""
    pots = list(pots)
    balances = {}
    if pots:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, posted FROM ledger_account WHERE id = ANY (%s)", [[pot.account for pot in pots]])
            balances = dict(cursor.fetchall())
        crypto.data_keys_warm({pot.party_id for pot in pots})
    return [PotView(pot, Money(balances[pot.account], pot.currency)) for pot in pots]


def pot_names(party_id: UUID, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What the party calls these pots of its own, closed ones too."""
    wanted = set(ids)
    return {pot.id: pot.name for pot in Pot.objects.filter(party_id=party_id, id__in=wanted)} if wanted else {}
