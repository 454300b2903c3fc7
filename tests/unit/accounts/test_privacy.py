from __future__ import annotations

import json
from datetime import datetime

import pytest
from django.db import connection
from django.test import Client

from accounts import selectors, services
from accounts.approvals import Action, approval_request
from accounts.errors import PayeeClosed, PayeeUnknown
from accounts.models import HANDLE_INDEX, Party, Person, TotpDevice
from accounts.models.factors import seed_new
from core import clock, crypto, privacy
from core.errors import NotFound
from core.ids import uuid7

pytestmark = pytest.mark.django_db
MARKERS = ("Marker Markersson", "marker.handle", "Hushållet Markör")
# The sign-in address and nothing else may be readable, in these columns.
CLEAR_EMAIL = {("accounts_person", "email"), ("account_emailaddress", "email")}


@pytest.fixture
def marked(db: None, now: datetime) -> Person:
    person = services.person_sign_up(
        email="marker.mail@example.com", name=MARKERS[0], password="seven green umbrellas", email_proved=True, now=now
    )
    services.handle_set(by=person, party_id=person.party_id, handle=MARKERS[1], now=now)
    services.household_open(by=person, name=MARKERS[2], now=now)
    TotpDevice.objects.create(user=person, name="phone", seed=seed_new())
    Client().force_login(person)
    approval_request(person, Action("transfer"), clock.now())
    return person


def everything_stored() -> dict[tuple[str, str], str]:
    """Every column of every table as text, as a dump would have it."""
    found: dict[tuple[str, str], str] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
        for table, column in cursor.fetchall():
            cursor.execute(f"SELECT string_agg(COALESCE(encode(\"{column}\"::text::bytea, 'escape'), ''), ' ') FROM \"{table}\"")
            found[table, column] = cursor.fetchone()[0] or ""
    return found


def readable(*texts: str) -> set[tuple[str, str]]:
    needles = [needle for text in texts for needle in (text.lower(), text.encode().hex())]
    return {place for place, stored in everything_stored().items() if any(needle in stored.lower() for needle in needles)}


class TestAtRest:
    def test_no_table_holds_a_name_handle_or_seed_in_clear(self, marked: Person) -> None:
        seed = TotpDevice.objects.get(user=marked).seed
        assert readable(*MARKERS, seed) == set()

    def test_the_address_is_readable_where_it_is_documented_and_nowhere_else(self, marked: Person) -> None:
        assert readable("marker.mail@example.com") == CLEAR_EMAIL

    def test_a_name_pasted_into_another_row_does_not_open(self, marked: Person, bo: Person) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_party SET name = (SELECT name FROM accounts_party WHERE id = %s) WHERE id = %s",
                [marked.party_id, bo.party_id],
            )
        with pytest.raises(crypto.CryptoError):
            assert Party.objects.get(id=bo.party_id).name

    def test_the_handle_is_found_by_its_blind_index(self, marked: Person) -> None:
        assert Party.objects.get(handle_index=crypto.blind_index(HANDLE_INDEX, "MARKER.handle")).id == marked.party_id


class TestExport:
    def test_holds_all_about_the_person_and_is_json(self, marked: Person) -> None:
        exported = json.loads(json.dumps(privacy.export(marked.party_id)))["accounts.people"]
        assert exported["party"]["handle"] == MARKERS[1]
        person = exported["person"]
        assert (person["name"], person["email"]) == (MARKERS[0], "marker.mail@example.com")
        assert {row["document"] for row in person["accepted_terms"]} == {"terms-of-use", "privacy"}
        assert len(person["sessions"]) == len(person["authenticators"]) == len(person["approvals"]) == 1
        assert len(person["memberships"]) == 2
        assert TotpDevice.objects.get(user=marked).seed not in json.dumps(exported)

    def test_of_nobody_is_refused(self, db: None) -> None:
        with pytest.raises(NotFound):
            privacy.export(uuid7())

    def test_every_encrypted_field_is_in_the_register(self) -> None:
        from django.apps import apps

        encrypted = {
            f"accounts.{model._meta.model_name}.{field.name}"
            for model in apps.get_app_config("accounts").get_models()
            for field in model._meta.fields
            if isinstance(field, (crypto.EncryptedTextField, crypto.BlindIndexField))
        }
        assert encrypted <= {name for holding in privacy.holdings() for name in holding.fields}


class TestErase:
    def test_leaves_nothing_readable(self, marked: Person, now: datetime) -> None:
        privacy.erase(marked.party_id, now=now)
        gone = Person.objects.get(pk=marked.pk)
        assert (gone.name, gone.party.name, gone.party.handle) == ("", "", "")
        assert readable(MARKERS[0], MARKERS[1], "marker.mail@example.com") == set()
        assert (gone.is_active, gone.has_usable_password(), gone.sessions.count()) == (False, False, 0)
        assert not TotpDevice.objects.filter(user=gone).exists()
        with pytest.raises(PayeeUnknown):
            selectors.payee_find("marker.mail@example.com")
        with pytest.raises((PayeeUnknown, PayeeClosed)):
            selectors.payee_find("@marker.handle")

    def test_frees_the_address_but_not_the_handle(self, marked: Person, bo: Person, now: datetime) -> None:
        from accounts.errors import HandleTaken

        privacy.erase(marked.party_id, now=now)
        services.person_sign_up(email="marker.mail@example.com", name="Somebody New", password=None, now=now)
        with pytest.raises(HandleTaken):
            services.handle_set(by=bo, party_id=bo.party_id, handle=MARKERS[1], now=now)

    def test_leaves_others_alone(self, marked: Person, bo: Person, now: datetime) -> None:
        privacy.erase(marked.party_id, now=now)
        assert Person.objects.get(pk=bo.pk).name == "Bo Ek"

    def test_of_nobody_is_refused(self, db: None, now: datetime) -> None:
        with pytest.raises(NotFound):
            privacy.erase(uuid7(), now=now)
