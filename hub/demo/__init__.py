"""
The people of a development hub: obviously made up, made through the same services as real ones.

They live through the year before the day of the load (hub/demo/history.py). Passwords are random per installation and lie
in the state folder, readable by its owner only. Never loaded in production.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from accounts import services as accounts
from accounts.models import Party, Person, TotpDevice
from accounts.models.factors import seed_new
from accounts.selectors import party_by_handle
from compliance import services as compliance
from core import clock, events
from hub.demo import history, plan
from hub.demo.access import Access, access_read, access_write
from wallets import services as wallets


@dataclass(frozen=True)
class DemoPerson:
    email: str
    name: str
    handle: str
    currency: str
    time_zone: str
    level: int


PEOPLE = [
    DemoPerson("ada@demo.example", "Ada Demo", "ada", "EUR", "Europe/Stockholm", 1),
    DemoPerson("bo@demo.example", "Bo Demo", "bosse", "EUR", "Europe/Berlin", 2),
    DemoPerson("chen@demo.example", "Chen Demo", "chen", "EUR", "Asia/Shanghai", 3),
]
# Owns the made-up shops; nobody signs in for them.
SHOPKEEPER = DemoPerson(history.SHOPKEEPER, "Sho Pkeeper", "demo.shops", "EUR", "Europe/Stockholm", 1)
# Their names say what they sell, which is all that the categories know of them.
SHOPS = {
    "demo.grocer": "Pretend Grocery",
    "demo.coffee": "Sample Street Coffee",
    "demo.tram": "Testville Tramway",
    "demo.cinema": "Storybook Cinema",
    "demo.pharmacy": "Pretend Pharmacy",
    "demo.travel": "Faraway Pretend Travel",
    "demo.homes": "Demoville Homes",
    "demo.energy": "Example Energy",
    "demo.school": "Sample Music School",
    "demo.streaming": "Example Streaming",
}
STAFF = [
    ("sam@demo.example", "Sam Staff", ["operations"]),
    ("cora@demo.example", "Cora Staff", ["compliance"]),
    ("sue@demo.example", "Sue Staff", ["support"]),
    ("root@demo.example", "Rita Staff", []),
]
PARTNER = "Demo Partner"

__all__ = ["Access", "access_read", "load", "loaded"]


def loaded() -> bool:
    return Person.objects.filter(email=PEOPLE[0].email).exists()


def load() -> Access:
    """Make the demo where it is missing; safe to run at every start, and again after a stop in the middle."""
    access = access_read()
    if not loaded() or access is None:
        access = _people_load()
    history.live(access)
    return access


def _people_load() -> Access:
    """Everybody, in one transaction, on the morning on which the year begins."""
    ada = Person.objects.filter(email=PEOPLE[0].email).first()
    access = Access()
    with clock.moved(ada.created_at if ada else plan.begins_at(clock.now())):
        with transaction.atomic():
            for demo in PEOPLE:
                access.people.append(_person(demo))
            _person(SHOPKEEPER)
            for email, name, groups in STAFF:
                access.staff.append(_staff(email, name, groups))
            _shared_parties()
            _shops()
            access.partner = _partner()
        events.relay(limit=10_000)
    access_write(access)
    return access


def _password() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _person(demo: DemoPerson) -> dict[str, str]:
    password, now = _password(), clock.now()
    person = Person.objects.filter(email=demo.email).first()
    if person is None:
        person = accounts.person_sign_up(
            email=demo.email,
            password=password,
            name=demo.name,
            time_zone=demo.time_zone,
            home_currency=demo.currency,
            email_proved=True,
            now=now,
        )
        accounts.handle_set(by=person, party_id=person.party_id, handle=demo.handle, now=now)
    else:
        person.set_password(password)
        person.save(update_fields=["password"])
    compliance.level_set(party_id=person.party_id, level=demo.level, by=None, reason="demo", now=now)
    return {"email": demo.email, "password": password, "name": demo.name, "handle": demo.handle}


def _staff(email: str, name: str, groups: list[str]) -> dict[str, Any]:
    password, now = _password(), clock.now()
    person = Person.objects.filter(email=email).first()
    if person is None:
        person = accounts.person_sign_up(email=email, password=password, name=name, is_staff=True, email_proved=True, now=now)
    else:
        person.set_password(password)
    person.is_superuser = not groups
    person.save(update_fields=["password", "is_superuser"])
    person.groups.set(Group.objects.filter(name__in=groups))
    device = TotpDevice.objects.filter(user=person).first() or TotpDevice(user=person, name="demo", confirmed=True, seed=seed_new())
    device.save()
    return {"email": email, "password": password, "totp_secret": device.seed, "groups": groups or ["superuser"]}


def _shared_parties() -> None:
    ada, bo = (Person.objects.get(email=demo.email) for demo in PEOPLE[:2])
    if Party.objects.filter(kind=Party.Kind.HOUSEHOLD, memberships__person=ada).exists():
        return
    household = accounts.household_open(by=ada, name="The Demo Household", now=clock.now())
    accounts.membership_add(by=ada, party_id=household.id, person=bo, role="member", now=clock.now())
    _party_ready(household, "demo.household", level=2, by=ada)
    _party_ready(accounts.business_open(by=bo, name="Demo Bakery", now=clock.now()), "demo.bakery", level=1, by=bo)


def _shops() -> None:
    owner = Person.objects.get(email=SHOPKEEPER.email)
    for handle, name in SHOPS.items():
        if party_by_handle(handle) is None:
            _party_ready(accounts.business_open(by=owner, name=name, now=clock.now()), handle, level=1, by=owner)


def _party_ready(party: Party, handle: str, *, level: int, by: Person) -> None:
    accounts.handle_set(by=by, party_id=party.id, handle=handle, now=clock.now())
    wallets.wallet_open(party_id=party.id, currency="EUR", now=clock.now())
    compliance.level_set(party_id=party.id, level=level, by=None, reason="demo", now=clock.now())


def _partner() -> dict[str, str]:
    owner = Person.objects.get(email=PEOPLE[1].email)
    business = Party.objects.get(kind=Party.Kind.BUSINESS, memberships__person=owner)
    application, secret = accounts.partner_create(
        name=PARTNER, party=business, answers=owner, redirect_uris=[f"{settings.HUB_PUBLIC_URL}/api/docs/"], now=clock.now()
    )
    return {"client_id": application.client_id, "client_secret": secret, "token_url": f"{settings.HUB_PUBLIC_URL}/o/token/"}
