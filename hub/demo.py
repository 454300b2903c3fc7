"""
The people of a development hub: obviously made up, made through the same services as real ones.

Their money comes from top-ups paid on the sandbox's hosted page. Passwords are random per installation and lie in the
state folder, readable by its owner only. Never loaded in production.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from accounts import services as accounts
from accounts.models import Party, Person, TotpDevice
from accounts.models.factors import seed_new
from compliance import services as compliance
from core import clock, events
from core.money import Money
from payments import services as payments
from wallets import selectors as wallet_selectors
from wallets import services as wallets

TEST_CARD = "4242424242424242"


@dataclass(frozen=True)
class DemoPerson:
    email: str
    name: str
    handle: str
    currency: str
    time_zone: str
    level: int
    top_up: int


PEOPLE = [
    DemoPerson("ada@demo.example", "Ada Demo", "ada", "EUR", "Europe/Stockholm", 1, 125_000),
    DemoPerson("bo@demo.example", "Bo Demo", "bosse", "EUR", "Europe/Berlin", 2, 42_000),
    DemoPerson("chen@demo.example", "Chen Demo", "chen", "EUR", "Asia/Shanghai", 3, 8_000),
]
STAFF = [
    ("sam@demo.example", "Sam Staff", ["operations"]),
    ("cora@demo.example", "Cora Staff", ["compliance"]),
    ("sue@demo.example", "Sue Staff", ["support"]),
    ("root@demo.example", "Rita Staff", []),
]
TRANSFERS = [
    ("ada", "bosse", 2_450, "Lunch on Tuesday"),
    ("bosse", "ada", 1_200, "Cinema"),
    ("ada", "chen", 2_999, "Birthday present"),
    ("chen", "bosse", 650, "Coffee"),
]
PARTNER = "Demo Partner"


@dataclass
class Access:
    """Who can sign in, as `demo_access` prints it."""

    people: list[dict[str, str]] = field(default_factory=list)
    staff: list[dict[str, Any]] = field(default_factory=list)
    partner: dict[str, str] = field(default_factory=dict)


def _file() -> Path:
    return Path(settings.HUB_STATE_DIR) / "demo.json"


def access_read() -> Access | None:
    try:
        return Access(**json.loads(_file().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _access_write(access: Access) -> None:
    _file().parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(asdict(access), stream, indent=1)


def loaded() -> bool:
    return Person.objects.filter(email=PEOPLE[0].email).exists()


def load() -> Access:
    """Make the demo where it is missing; safe to run at every start, and again after a stop in the middle."""
    access = access_read()
    if loaded() and access is not None:
        _money_load()
        return access
    access = Access()
    with transaction.atomic():
        for demo in PEOPLE:
            access.people.append(_person(demo))
        for email, name, groups in STAFF:
            access.staff.append(_staff(email, name, groups))
        _shared_parties()
        access.partner = _partner()
    _access_write(access)
    events.relay(limit=1000)
    _money_load()
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
    now = clock.now()
    if not Party.objects.filter(kind=Party.Kind.HOUSEHOLD, memberships__person=ada).exists():
        household = accounts.household_open(by=ada, name="The Demo Household", now=now)
        accounts.membership_add(by=ada, party_id=household.id, person=bo, role="member", now=now)
        wallets.wallet_open(party_id=household.id, currency="EUR", now=now)
        business = accounts.business_open(by=bo, name="Demo Bakery", now=now)
        accounts.handle_set(by=bo, party_id=business.id, handle="demo.bakery", now=now)
        wallets.wallet_open(party_id=business.id, currency="EUR", now=now)


def _partner() -> dict[str, str]:
    owner = Person.objects.get(email=PEOPLE[1].email)
    business = Party.objects.get(kind=Party.Kind.BUSINESS, memberships__person=owner)
    application, secret = accounts.partner_create(
        name=PARTNER, party=business, answers=owner, redirect_uris=[f"{settings.HUB_PUBLIC_URL}/api/docs/"], now=clock.now()
    )
    return {"client_id": application.client_id, "client_secret": secret, "token_url": f"{settings.HUB_PUBLIC_URL}/o/token/"}


# --- money ---------------------------------------------------------------------------------------------------------------


def _money_load() -> None:
    """Top-ups first, then transfers; each has a key of its own, so that a second run finds the first one's."""
    events.relay(limit=1000)
    screened()
    people = {demo.handle: Person.objects.get(email=demo.email) for demo in PEOPLE}
    if not settings.SANDBOX_URL:
        return
    for demo in PEOPLE:
        _top_up(people[demo.handle], Money(demo.top_up, demo.currency), key=f"demo-top-up-{demo.handle}")
    for source, target, amount, note in TRANSFERS:
        _transfer(people[source], target, Money(amount, "EUR"), note, key=f"demo-{source}-{target}")
    events.relay(limit=1000)


def screened() -> None:
    """
    Load the made-up sanctions list and screen whoever is not screened yet: the screening process, which does it otherwise,
    may not be up while the demo is made, and payments would wait for it.
    """
    from compliance.screening import lists, worker

    lists.list_load(source=lists.Source.DEMO, path=lists.DEMO_LIST, now=clock.now())
    for party_id in Party.objects.filter(verdict__isnull=True).values_list("id", flat=True):
        worker.party_screen(party_id=party_id, now=clock.now())


def _top_up(person: Person, amount: Money, *, key: str) -> None:
    now = clock.now()
    wallet = next(wallet for wallet in wallet_selectors.wallets_for(person.party_id) if wallet.currency == amount.currency)
    top_up = payments.top_up_start(by=person, party_id=person.party_id, wallet_id=wallet.id, amount=amount, idempotency_key=key, now=now)
    if top_up.url:
        pay_on_hosted_page(top_up.url)
        payments.top_up_refresh(payment_id=top_up.payment.id, now=clock.now())


def _transfer(person: Person, target: str, amount: Money, note: str, *, key: str) -> None:
    wallet = next(wallet for wallet in wallet_selectors.wallets_for(person.party_id) if wallet.currency == amount.currency)
    payments.transfer_send(
        by=person,
        party_id=person.party_id,
        source_wallet_id=wallet.id,
        payee=f"@{target}",
        amount=amount,
        note=note,
        idempotency_key=key,
        now=clock.now(),
    )


def pay_on_hosted_page(url: str) -> None:
    """
    Pay as a person would: open the sandbox's page, send its form with the test card.

    :raises RuntimeError: the page did not take it.
    """
    with requests.Session() as browser:
        browser.get(url, timeout=10).raise_for_status()
        expiry = (clock.now() + timedelta(days=700)).strftime("%m/%y")
        card = {"number": TEST_CARD, "expiry": expiry, "cvc": "123", "name": "Demo"}
        answer = browser.post(url, data=card, allow_redirects=False, timeout=10)
        if answer.status_code != 303:
            raise RuntimeError(f"the hosted page answered {answer.status_code}")
