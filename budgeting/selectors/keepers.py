"""Who keeps a party's books: whose time zone says when a month begins, and in whose currency is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts.models import Membership, Person


@dataclass(frozen=True, slots=True)
class Keeper:
    time_zone: str
    currency: str


def keeper_of(party_id: UUID) -> Keeper:
    """The person a party is, else the first of its owners; a party of nobody goes by the operator's."""
    own = Person.objects.filter(party_id=party_id).values_list("time_zone", "home_currency").first()
    if own is None:
        owners = Membership.objects.filter(party_id=party_id, role=Membership.Role.OWNER, active_to__isnull=True).order_by(
            "active_from", "id"
        )
        own = owners.values_list("person__time_zone", "person__home_currency").first()
    zone, currency = own or (settings.HUB_TIME_ZONE, settings.HUB_REFERENCE_CURRENCY)
    return Keeper(zone or "UTC", currency)


def keeper_is(person: Person) -> Keeper:
    """The same for the person's own party, without asking the database."""
    return Keeper(person.time_zone or "UTC", person.home_currency)


def today_of(now: datetime, keeper: Keeper) -> date:
    return now.astimezone(ZoneInfo(keeper.time_zone)).date()


def month_of(now: datetime, keeper: Keeper) -> date:
    """The first day of the month that it is for the keeper."""
    return today_of(now, keeper).replace(day=1)


def month_after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
