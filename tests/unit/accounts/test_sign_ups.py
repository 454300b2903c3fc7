"""Sign-ups that nobody proved are erased after a while, and nobody else is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts import services, tasks
from accounts.models import Membership, Party, Person, TermsAcceptance, TotpDevice
from accounts.models.factors import seed_new
from accounts.services import sign_up_forget, sign_ups_forget
from compliance.cases.services import case_open
from core import audit, clock, due, events, privacy
from core.mail import mail_send
from core.models import AuditEntry, DueWork, Event
from core.money import Money
from tests.unit.accounts.conftest import PASSWORD, code_in, mails
from tests.unit.accounts.test_privacy import readable
from wallets import ledger
from wallets.models import Wallet
from wallets.services import wallet_open

EMAIL = "never.proved@example.com"
NAME = "Nemo Marker"


def unproved(now: datetime, email: str = EMAIL, **more: Any) -> Person:
    person = services.person_sign_up(**{"email": email, "name": NAME, "password": PASSWORD, "now": now, **more})
    events.relay()
    return person


@pytest.fixture
def nemo(db: None, now: datetime) -> Person:
    """Signed up, never typed the code; the wallet and the level are there."""
    return unproved(now)


@pytest.fixture
def later(now: datetime) -> datetime:
    return now + timedelta(days=7, seconds=1)


@pytest.mark.django_db
class TestWhoGoes:
    def test_is_whoever_never_proved_the_address(self, nemo: Person, later: datetime) -> None:
        assert Wallet.objects.get(party_id=nemo.party_id).state == "open"
        assert sign_ups_forget(now=later) == 1
        events.relay()
        nemo = Person.objects.select_related("party").get(pk=nemo.pk)
        assert (nemo.is_active, nemo.name, nemo.party.name, nemo.party.state) == (False, "", "", Party.State.CLOSED)
        assert nemo.email == f"erased-{nemo.id}@erased.invalid"
        assert not EmailAddress.objects.filter(user=nemo).exists()
        assert not Membership.objects.filter(person=nemo, active_to__isnull=True).exists()
        assert Wallet.objects.get(party_id=nemo.party_id).state == "closed"
        assert AuditEntry.objects.filter(action="accounts.person.sign_up_forgotten", party_id=nemo.party_id).count() == 1

    def test_leaves_nothing_to_read_and_ids_in_what_must_stay(self, nemo: Person, later: datetime) -> None:
        sign_ups_forget(now=later)
        events.relay()
        assert readable(EMAIL, NAME) == set()
        assert TermsAcceptance.objects.filter(person=nemo).count() == 2
        assert Event.objects.filter(name="accounts.person.signed_up", party_id=nemo.party_id).exists()

    def test_can_sign_up_again_with_the_same_address(self, nemo: Person, later: datetime) -> None:
        sign_ups_forget(now=later)
        again = unproved(later)
        assert again.pk != nemo.pk
        assert sign_ups_forget(now=later) == 0

    def test_is_done_once(self, nemo: Person, later: datetime) -> None:
        assert sign_ups_forget(now=later) == 1
        assert sign_ups_forget(now=later + timedelta(days=30)) == 0
        assert Event.objects.filter(name="accounts.person.closed", party_id=nemo.party_id).count() == 1

    def test_not_before_the_documented_time(self, nemo: Person, now: datetime, later: datetime, settings: Any) -> None:
        assert sign_ups_forget(now=now + timedelta(days=7)) == 0
        settings.HUB_SIGN_UP_KEPT_DAYS = 30
        assert sign_ups_forget(now=later) == 0

    def test_mails_that_could_not_leave_are_forgotten_too(self, nemo: Person, later: datetime) -> None:
        stuck = mail_send(to=EMAIL, subject="Code", body_text=f"Dear {NAME}", party_id=nemo.party_id)
        DueWork.objects.filter(pk=stuck.pk).update(state=DueWork.State.DEAD)
        sign_ups_forget(now=later)
        stuck.refresh_from_db()
        assert (stuck.state, stuck.secret) == (DueWork.State.CANCELLED, "")
        assert due.replay([stuck.id], now=later) == 0

    def test_an_old_code_leads_nowhere(self, now: datetime) -> None:
        client = Client()
        form = {"email": EMAIL, "name": NAME, "password1": PASSWORD, "home_currency": "EUR", "terms": "on"}
        client.post(reverse("account_signup"), form)
        person = Person.objects.get(email=EMAIL)
        Person.objects.filter(pk=person.pk).update(created_at=now - timedelta(days=365))
        sent = code_in(mails()[-1])
        assert sign_ups_forget(now=clock.now()) == 1
        answer = client.post(reverse("account_email_verification_sent"), {"code": sent}, follow=True)
        assert answer.status_code in (200, 404, 422)
        assert "_auth_user_id" not in client.session


def proves(person: Person, now: datetime) -> None:
    EmailAddress.objects.filter(user=person).update(verified=True)


def proved_once(person: Person, now: datetime) -> None:
    audit.record("accounts.email.proved", actor=person, party_id=person.party_id, object_type="person", object_id=person.id)


def signs_in(person: Person, now: datetime) -> None:
    Client().force_login(person)


def is_staff(person: Person, now: datetime) -> None:
    Person.objects.filter(pk=person.pk).update(is_staff=True)


def is_chief(person: Person, now: datetime) -> None:
    Person.objects.filter(pk=person.pk).update(is_superuser=True)


def has_a_group(person: Person, now: datetime) -> None:
    person.groups.add(Group.objects.get(name="support"))


def has_a_factor(person: Person, now: datetime) -> None:
    TotpDevice.objects.create(user=person, name="phone", seed=seed_new())


def has_a_handle(person: Person, now: datetime) -> None:
    services.handle_set(by=person, party_id=person.party_id, handle="nemo", now=now)


def owns_a_household(person: Person, now: datetime) -> None:
    services.household_open(by=person, name="Home", now=now)


def has_a_program(person: Person, now: datetime) -> None:
    services.partner_create(name="Books", redirect_uris=[], party=person.party, now=now)


def has_no_address_row(person: Person, now: datetime) -> None:
    """As people are whom `createsuperuser` or an import made: there is no code they could have typed."""
    EmailAddress.objects.filter(user=person).delete()


def has_a_balance(person: Person, now: datetime) -> None:
    wallet = wallet_open(party_id=person.party_id, currency="EUR", now=now)
    source = ledger.system_account("provider:test", "EUR")
    ledger.post(debit=source, credit=wallet.account, amount=Money(5, "EUR"), key=f"in:{person.id}", now=now)


def had_a_balance(person: Person, now: datetime) -> None:
    """Nothing left, but the entries tell of somebody's money."""
    has_a_balance(person, now)
    wallet = Wallet.objects.get(party_id=person.party_id)
    source = ledger.system_account("provider:test", "EUR")
    ledger.post(debit=wallet.account, credit=source, amount=Money(5, "EUR"), key=f"out:{person.id}", now=now)


def has_an_open_case(person: Person, now: datetime) -> None:
    case_open(party_id=person.party_id, reason="hit", now=now)


def was_stopped(person: Person, now: datetime) -> None:
    """By staff, who had a reason; what becomes of it is theirs to say."""
    services.person_deactivate(person=person, by=None, now=now, reason="staff")


KEPT = [
    proves, proved_once, signs_in, is_staff, is_chief, has_a_group, has_a_factor, has_a_handle, owns_a_household, has_a_program,
    has_no_address_row, has_a_balance, had_a_balance, has_an_open_case, was_stopped,
]  # fmt: skip


@pytest.mark.django_db
class TestWhoStays:
    @pytest.mark.parametrize("why", KEPT, ids=lambda why: why.__name__)
    def test_is_everybody_with_a_reason(self, nemo: Person, now: datetime, later: datetime, why: Callable[..., None]) -> None:
        why(nemo, now)
        events.relay()
        assert sign_ups_forget(now=later) == 0
        assert sign_up_forget(person_id=nemo.id, now=later) is False
        stays = Person.objects.get(pk=nemo.pk)
        assert (stays.email, stays.name) == (EMAIL, NAME)

    def test_is_everybody_else(self, nemo: Person, asa: Person, bo: Person, later: datetime) -> None:
        sign_ups_forget(now=later)
        assert [Person.objects.get(pk=person.pk).is_active for person in (asa, bo)] == [True, True]

    def test_every_app_that_holds_something_is_asked(self, nemo: Person) -> None:
        assert privacy.kept_by(nemo.party_id) == []
        asked = {holding.label for holding in privacy.holdings() if holding.keeps}
        assert asked == {"compliance.identity", "compliance.screening", "payments", "wallets"}


@pytest.mark.django_db
class TestManyAtOnce:
    def test_one_that_cannot_go_does_not_keep_the_others(self, now: datetime, later: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        first, *_others = [unproved(now + timedelta(seconds=n), f"n{n}@example.com") for n in range(3)]
        real = privacy.erase

        def refuse(party_id: Any, *, now: datetime) -> list[str]:
            if party_id == first.party_id:
                raise ZeroDivisionError
            return real(party_id, now=now)

        monkeypatch.setattr(privacy, "erase", refuse)
        assert sign_ups_forget(now=later + timedelta(hours=1)) == 2
        assert Person.objects.get(pk=first.pk).email == "n0@example.com"

    def test_goes_on_at_the_next_tick_after_so_many(self, now: datetime, later: datetime) -> None:
        for n in range(3):
            unproved(now, f"n{n}@example.com")
        assert [sign_ups_forget(now=later, limit=2) for _tick in range(3)] == [2, 1, 0]

    def test_asks_little_where_there_is_nothing_to_do(
        self, asa: Person, later: datetime, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            assert sign_ups_forget(now=later) == 0

    def test_is_a_tick(self, nemo: Person, settings: Any) -> None:
        names = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
        assert tasks.sign_ups_forget.name in names
        Person.objects.filter(pk=nemo.pk).update(created_at=clock.now() - timedelta(days=8))
        tasks.sign_ups_forget()
        assert not Person.objects.filter(email=EMAIL).exists()


def test_a_code_typed_at_that_moment_is_not_lost_halfway(fresh_db: str, now: datetime, later: datetime) -> None:
    """Either the person is in and stays, or the address is gone: never an address proved for somebody erased."""
    nemo = unproved(now)
    row = EmailAddress.objects.get(user=nemo)
    seen: list[bool] = []

    def sweep() -> None:
        seen.append(sign_up_forget(person_id=nemo.id, now=later))
        connection.close()

    with transaction.atomic():
        row.verified = True
        row.save(update_fields=["verified"])
        thread = threading.Thread(target=sweep)
        thread.start()
        thread.join(0.5)
    thread.join(10)
    assert seen == [False]
    assert Person.objects.get(pk=nemo.pk).email == EMAIL
