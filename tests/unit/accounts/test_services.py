from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import selectors, services
from accounts.errors import (
    AccountNotEmpty,
    AlreadyMember,
    EmailTaken,
    HandleTaken,
    LastOwner,
    MembershipUnknown,
    PasswordWrong,
    PayeeClosed,
    PayeeOwn,
    PayeeUnknown,
    RoleForbidden,
    TermsRequired,
)
from accounts.models import Membership, Party, Person, Session, TermsAcceptance
from accounts.services import people
from core.errors import HubError, NotFound
from core.models import Event
from tests.unit.accounts.conftest import PASSWORD


@pytest.mark.django_db
class TestPersonSignUp:
    def test_makes_person_party_and_ownership_and_tells(self, asa: Person, now: datetime) -> None:
        assert asa.party.kind == Party.Kind.PERSON
        assert asa.party.name == "Åsa Lindgren"
        assert selectors.role_of(asa, asa.party_id, at=now) == Membership.Role.OWNER
        event = Event.objects.get(name="accounts.person.signed_up", party_id=asa.party_id)
        assert event.data == {"person_id": str(asa.id), "home_currency": "EUR"}
        assert set(TermsAcceptance.objects.filter(person=asa).values_list("slug", "version")) == {("terms-of-use", 1), ("privacy", 1)}

    @pytest.mark.parametrize("variant", ["ASA@EXAMPLE.COM", "ａsa@example.com", " asa@example.com"])
    def test_every_spelling_of_an_address_is_taken(self, asa: Person, sign_up: Callable[..., Person], variant: str) -> None:
        with pytest.raises(EmailTaken):
            sign_up(variant, "Somebody Else")
        assert Person.objects.count() == 1
        assert Party.objects.count() == 1

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            ("email", "nobody", "email_invalid"),
            ("name", " ", "name_invalid"),
            ("language", "tlh", "language_unknown"),
            ("time_zone", "Mars/Olympus", "time_zone_unknown"),
            ("home_currency", "XXX", "currency_unknown"),
            ("home_currency", "E\x00R", "currency_unknown"),
        ],
    )
    def test_bad_values_leave_nothing_behind(self, sign_up: Callable[..., Person], field: str, value: str, code: str) -> None:
        with pytest.raises(HubError) as refused, transaction.atomic():
            sign_up(**{"email": "asa@example.com", "name": "Asa", field: value})
        assert refused.value.code == code
        assert not Party.objects.exists()

    def test_terms_are_a_condition(self, sign_up: Callable[..., Person]) -> None:
        with pytest.raises(TermsRequired):
            sign_up("asa@example.com", "Asa", accept_terms=False)

    def test_the_database_refuses_an_address_that_was_not_canonicalised(self, asa: Person) -> None:
        for bad in ("ASA2@example.com", "åsa@example.com"):
            with pytest.raises(IntegrityError), transaction.atomic():
                Person.objects.filter(pk=asa.pk).update(email=bad)


@pytest.mark.django_db
class TestPersonUpdate:
    def test_changes_only_what_is_given_and_says_what(self, asa: Person, now: datetime) -> None:
        services.person_update(person=asa, name="Åsa Berg", theme="dark", hide_amounts=False, now=now)
        asa = Person.objects.get(pk=asa.pk)
        assert (asa.name, asa.party.name, asa.theme, asa.language) == ("Åsa Berg", "Åsa Berg", "dark", "en")
        assert Event.objects.get(name="accounts.person.changed").data["fields"] == "name,theme"

    def test_without_a_change_nothing_is_told(self, asa: Person, now: datetime) -> None:
        services.person_update(person=asa, name=asa.name, now=now)
        assert not Event.objects.filter(name="accounts.person.changed").exists()

    def test_nobody_makes_themselves_staff(self, asa: Person, now: datetime) -> None:
        with pytest.raises(TypeError):
            services.person_update(person=asa, is_staff=True, now=now)

    def test_a_refused_profile_changes_nothing(self, asa: Person, bo: Person, now: datetime) -> None:
        services.handle_set(by=bo, party_id=bo.party_id, handle="bosse", now=now)
        with pytest.raises(HandleTaken):
            services.profile_save(person=asa, handle="bosse", name="Åsa Berg", now=now)
        assert Person.objects.get(pk=asa.pk).name == "Åsa Lindgren"


@pytest.mark.django_db
class TestHandleSet:
    def test_is_found_in_any_spelling(self, asa: Person, now: datetime) -> None:
        services.handle_set(by=asa, party_id=asa.party_id, handle="@Asa.L", now=now)
        for typed in ("@asa.l", "asa.l", "@ASA.L", "ａsa.l"):
            payee = selectors.payee_find(typed)
            assert (payee.party_id, payee.display_name, payee.handle, payee.email_hint) == (asa.party_id, "Åsa L.", "asa.l", "")

    def test_a_given_up_handle_goes_to_nobody_else(self, asa: Person, bo: Person, now: datetime) -> None:
        services.handle_set(by=asa, party_id=asa.party_id, handle="asa", now=now)
        services.handle_set(by=asa, party_id=asa.party_id, handle="", now=now)
        with pytest.raises(PayeeUnknown):
            selectors.payee_find("@asa")
        with pytest.raises(HandleTaken):
            services.handle_set(by=bo, party_id=bo.party_id, handle="asa", now=now)
        assert services.handle_set(by=asa, party_id=asa.party_id, handle="asa", now=now).handle == "asa"

    def test_only_for_a_party_of_ones_own(self, asa: Person, bo: Person, now: datetime) -> None:
        with pytest.raises(NotFound):
            services.handle_set(by=asa, party_id=bo.party_id, handle="mine", now=now)


@pytest.mark.django_db
class TestPayeeFind:
    def test_by_any_spelling_of_the_address(self, asa: Person) -> None:
        payee = selectors.payee_find(" ASA@Example.com")
        assert (payee.party_id, payee.display_name, payee.email_hint) == (asa.party_id, "Åsa L.", "asa@example.com")

    def test_an_unproved_address_is_nobody(self, sign_up: Callable[..., Person]) -> None:
        sign_up("victim@example.com", "Squatter", email_proved=False)
        with pytest.raises(PayeeUnknown):
            selectors.payee_find("victim@example.com")

    def test_closed_and_own_are_told_apart(self, asa: Person, bo: Person, now: datetime) -> None:
        with pytest.raises(PayeeOwn):
            selectors.payee_find("asa@example.com", asking=asa.party_id)
        services.account_close(person=bo, password=PASSWORD, now=now)
        with pytest.raises(PayeeClosed):
            selectors.payee_find("bo@example.com", asking=asa.party_id)

    @pytest.mark.parametrize(
        "text", ["", "@", "@@", "nobody@example.com", "@nobody", "x" * 5000, "a\x00b@example.com", "@a\x00b", "@\ud800"]
    )
    def test_hostile_text_is_nobody(self, db: None, text: str) -> None:
        with pytest.raises(PayeeUnknown):
            selectors.payee_find(text)


@pytest.mark.django_db
class TestMemberships:
    def test_a_business_has_its_opener_as_owner(self, asa: Person, now: datetime) -> None:
        bakery = services.business_open(by=asa, name="Bakery", now=now)
        assert {party.id for party in selectors.parties_for(asa, at=now)} == {asa.party_id, bakery.id}
        assert selectors.party_get(asa, bakery.id, role=Membership.Role.OWNER, at=now) == bakery
        assert selectors.party_display_name(bakery) == "Bakery"

    def test_periods_are_half_open(self, asa: Person, bo: Person, now: datetime) -> None:
        home = services.household_open(by=asa, name="Home", now=now)
        membership = services.membership_add(by=asa, party_id=home.id, person=bo, role="member", now=now)
        later = now + timedelta(days=1)
        services.membership_end(by=asa, membership_id=membership.id, now=later)
        assert selectors.role_of(bo, home.id, at=now) == "member"
        assert selectors.role_of(bo, home.id, at=later - timedelta(microseconds=1)) == "member"
        assert selectors.role_of(bo, home.id, at=later) is None
        services.membership_add(by=asa, party_id=home.id, person=bo, role="viewer", now=later)
        assert selectors.role_of(bo, home.id, at=later) == "viewer"

    def test_nobody_joins_twice(self, asa: Person, bo: Person, now: datetime) -> None:
        home = services.household_open(by=asa, name="Home", now=now)
        services.membership_add(by=asa, party_id=home.id, person=bo, role="member", now=now)
        with pytest.raises(AlreadyMember):
            services.membership_add(by=asa, party_id=home.id, person=bo, role="viewer", now=now)

    def test_members_cannot_let_others_in(self, asa: Person, bo: Person, officer: Person, now: datetime) -> None:
        home = services.household_open(by=asa, name="Home", now=now)
        services.membership_add(by=asa, party_id=home.id, person=bo, role="member", now=now)
        with pytest.raises(RoleForbidden):
            services.membership_add(by=bo, party_id=home.id, person=officer, role="viewer", now=now)
        with pytest.raises(NotFound):
            services.membership_add(by=officer, party_id=home.id, person=officer, role="owner", now=now)

    def test_administrators_cannot_make_owners_or_remove_them(self, asa: Person, bo: Person, officer: Person, now: datetime) -> None:
        home = services.household_open(by=asa, name="Home", now=now)
        services.membership_add(by=asa, party_id=home.id, person=bo, role="admin", now=now)
        with pytest.raises(RoleForbidden):
            services.membership_add(by=bo, party_id=home.id, person=officer, role="owner", now=now)
        with pytest.raises(RoleForbidden):
            services.membership_end(by=bo, membership_id=Membership.objects.get(party=home, person=asa).id, now=now)

    def test_the_last_owner_stays(self, asa: Person, now: datetime) -> None:
        home = services.household_open(by=asa, name="Home", now=now)
        with pytest.raises(LastOwner):
            services.membership_end(by=asa, membership_id=Membership.objects.get(party=home).id, now=now)

    def test_strangers_cannot_see_that_a_membership_exists(self, asa: Person, bo: Person, now: datetime) -> None:
        with pytest.raises(MembershipUnknown):
            services.membership_end(by=bo, membership_id=Membership.objects.get(person=asa).id, now=now)


@pytest.mark.django_db
class TestAccountClose:
    def test_needs_the_password_and_no_open_reasons(self, asa: Person, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people, "_closing_checks", [lambda party_id: ["Take out your 20 EUR first."]])
        with pytest.raises(PasswordWrong):
            services.account_close(person=asa, password="wrong", now=now)
        with pytest.raises(AccountNotEmpty) as refused:
            services.account_close(person=asa, password=PASSWORD, now=now)
        assert refused.value.extra["reasons"] == ["Take out your 20 EUR first."]
        assert Person.objects.get(pk=asa.pk).is_active

    def test_ends_everything_and_tells(self, asa: Person, asa_client: object, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people, "_closing_checks", [])
        assert Session.objects.filter(person=asa).exists()
        services.account_close(person=asa, password=PASSWORD, now=now)
        asa = Person.objects.get(pk=asa.pk)
        assert (asa.is_active, asa.closed_at, asa.party.state, asa.party.closed_at) == (False, now, "closed", now)
        assert not Session.objects.filter(person=asa).exists()
        assert not selectors.parties_for(asa, at=now).exists()
        assert Event.objects.get(name="accounts.person.closed").party_id == asa.party_id

    def test_an_only_owner_names_another_first(self, asa: Person, bo: Person, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people, "_closing_checks", [])
        home = services.household_open(by=asa, name="Home", now=now)
        with pytest.raises(AccountNotEmpty) as refused:
            services.account_close(person=asa, password=PASSWORD, now=now)
        assert "Home" in refused.value.extra["reasons"][0]
        services.membership_add(by=asa, party_id=home.id, person=bo, role="owner", now=now)
        services.account_close(person=asa, password=PASSWORD, now=now)

    def test_checks_are_registered_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people, "_closing_checks", [])
        check: people.ClosingCheck = lambda party_id: []  # noqa: E731
        services.closing_check_register(check)
        services.closing_check_register(check)
        assert people._closing_checks == [check]


class TestRaces:
    def _together(self, *jobs: Callable[[], object]) -> list[object]:
        results: list[object] = []
        barrier = threading.Barrier(len(jobs))

        def run(job: Callable[[], object]) -> None:
            barrier.wait()
            try:
                results.append(job())
            except HubError as error:
                results.append(error.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_two_people_who_ask_for_a_handle_at_once_do_not_share_it(self, fresh_db: str, now: datetime) -> None:
        two = [services.person_sign_up(email=f"{name}@example.com", name=name, password=None, now=now) for name in ("anna", "bert")]
        jobs = [
            lambda person=person: services.handle_set(by=person, party_id=person.party_id, handle="wanted", now=now).id for person in two
        ]
        assert sorted(map(str, self._together(*jobs)))[-1] == "handle_taken"
        assert sum(party.handle == "wanted" for party in Party.objects.all()) == 1

    def test_two_owners_cannot_leave_together(self, fresh_db: str, now: datetime) -> None:
        anna, bert = (services.person_sign_up(email=f"{name}@example.com", name=name, password=None, now=now) for name in ("anna", "bert"))
        home = services.household_open(by=anna, name="Home", now=now)
        services.membership_add(by=anna, party_id=home.id, person=bert, role="owner", now=now)
        rows = {row.person_id: row.id for row in Membership.objects.filter(party=home)}
        jobs = [
            lambda person=person: services.membership_end(by=person, membership_id=rows[person.id], now=now).id for person in (anna, bert)
        ]
        assert self._together(*jobs).count("last_owner") == 1

    def test_two_sign_ups_for_one_address_make_one_person(self, fresh_db: str, now: datetime) -> None:
        jobs = [lambda: services.person_sign_up(email="anna@example.com", name="Anna", password=None, now=now).id] * 2
        assert self._together(*jobs).count("email_taken") == 1
        assert Person.objects.count() == Party.objects.count() == 1
