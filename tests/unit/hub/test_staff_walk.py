"""
Every list and a row of each, as a member of each group and as people who are not staff: who sees what, that a look leaves a
trace, and that longer lists ask no more of the database.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Person
from accounts.services import partner_create
from compliance.cases.services import case_open
from core import audit, events
from core.admin import CappedPaginator
from core.models import AuditEntry
from engagement.models import WebhookDelivery, WebhookEndpoint
from tests.people import person
from tests.unit.core.test_admin import verified
from tests.unit.hub.test_staff_admin import history

pytestmark = pytest.mark.django_db

PEOPLE = {"accounts.membership", "accounts.party", "accounts.person", "accounts.termsacceptance"}
PAYMENTS = {"payments.bill", "payments.billrun", "payments.payment"}
WEBHOOKS = {"engagement.webhookdelivery", "engagement.webhookendpoint"}
LEDGER = {"wallets.ledgeraccount", "wallets.ledgerhold", "wallets.ledgertransfer"}
LEVELS = {"compliance.limitrule", "compliance.partylevel", "compliance.usage"}
SUSPICIONS = {"compliance.case", "compliance.verdict", "compliance.identitydata"}
SPINE = {"core.auditentry", "core.delivery", "core.duework", "core.event", "core.idempotencykey", "core.rate"}
# The least that each group must see, and what it must never see; apps that are new are asked about by nobody's mistake.
MUST = {
    "support": PEOPLE | PAYMENTS | WEBHOOKS | LEVELS | {"wallets.wallet", "accounts.terms"},
    "compliance": PEOPLE | PAYMENTS | LEDGER | LEVELS | SUSPICIONS | {"wallets.wallet", "core.auditentry", "compliance.sanctionslist"},
    "operations": SPINE | LEDGER | WEBHOOKS | PAYMENTS | {"payments.providerevent", "accounts.terms"},
}
NEVER = {
    "support": SUSPICIONS | SPINE | LEDGER | {"payments.providerevent", "auth.group", "accounts.partnerapplication"},
    "compliance": (SPINE - {"core.auditentry"}) | {"payments.providerevent", "auth.group", "accounts.partnerapplication"},
    "operations": PEOPLE | SUSPICIONS | {"wallets.wallet", "auth.group", "accounts.partnerapplication"},
}
# Rows about somebody: whoever opens them or their list is written down.
PERSONAL = PEOPLE | PAYMENTS | WEBHOOKS | SUSPICIONS | {"compliance.partylevel", "compliance.usage", "wallets.wallet", "core.auditentry"}


def staff(group: str) -> Client:
    cache.clear()
    clerk = Person.objects.create_user(f"{group}@example.com", "copper lantern drifting", name="Clerk", is_staff=True)
    clerk.groups.add(Group.objects.get(name=group))
    return verified(clerk)


def label(model: Any) -> str:
    return str(model._meta.label_lower)


def pages(model: Any) -> list[str]:
    place = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.first()
    return [reverse(f"{place}_changelist"), *([reverse(f"{place}_change", args=[row.pk])] if row is not None else [])]


@pytest.fixture
def asa(now: datetime) -> Person:
    """With some of everything that staff may look at."""
    asa = history(now)
    events.relay()
    case_open(party_id=asa.party_id, reason="hit", now=now)
    program = partner_create(name="Books", redirect_uris=[], party=asa.party, now=now).application
    endpoint = WebhookEndpoint.objects.create(application=program, url="https://partner.example/", events=[], created_at=now)
    WebhookDelivery.objects.create(
        endpoint=endpoint, party_id=asa.party_id, event_type="ping", source_id=asa.id, created_at=now, payload={}
    )
    return asa


class TestWhoSeesWhat:
    @pytest.mark.parametrize("group", MUST)
    def test_a_group_sees_what_it_needs_and_nothing_else(self, asa: Person, group: str) -> None:
        client = staff(group)
        opened, index = set(), client.get(reverse("admin:index")).text
        for model in admin.site._registry:
            statuses = {client.get(page).status_code for page in pages(model)}
            assert statuses in ({200}, {403}), (label(model), statuses)
            if statuses == {200}:
                opened.add(label(model))
            # The index offers what opens and no dead end.
            assert (f'href="{pages(model)[0]}"' in index) == (statuses == {200}), label(model)
        assert opened >= MUST[group]
        assert not opened & NEVER[group]

    def test_people_who_are_not_staff_see_nothing(self, asa: Person) -> None:
        member = verified(asa)
        plain = verified(Person.objects.create_user("clerk@example.com", "copper lantern drifting", name="Clerk", is_staff=True))
        for model in admin.site._registry:
            for page in pages(model):
                assert Client().get(page).status_code == 302
                assert member.get(page).status_code == 302
                assert plain.get(page).status_code == 403, page
        assert not AuditEntry.objects.filter(action__endswith=".viewed").exists()
        assert not AuditEntry.objects.filter(action__endswith=".listed").exists()


class TestTraces:
    def test_every_look_at_somebodys_data_leaves_one(self, asa: Person) -> None:
        cache.clear()
        client = verified(Person.objects.create_superuser("chief@example.com", "copper lantern drifting", name="Chief"))
        for model in admin.site._registry:
            if label(model) not in PERSONAL:
                continue
            for page, ending in zip(pages(model), (".listed", ".viewed"), strict=False):
                before = set(AuditEntry.objects.values_list("id", flat=True))
                assert client.get(page).status_code == 200
                # Of a row that names nobody (a log entry of the hub itself) there is nobody to tell.
                traces = AuditEntry.objects.exclude(id__in=before).filter(action__endswith=ending)
                assert traces.exists() or label(model) == "core.auditentry", page

    def test_the_person_reads_who_looked_but_not_at_a_suspicion(self, asa: Person) -> None:
        client = staff("compliance")
        for model in admin.site._registry:
            if label(model) in SUSPICIONS | PEOPLE:
                for row in model._default_manager.all():
                    client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk]))
        told = set(audit.entries_for(asa.party_id).filter(action__endswith=".viewed").values_list("action", flat=True))
        assert told >= {"accounts.person.viewed", "accounts.party.viewed", "accounts.membership.viewed", "accounts.terms_acceptance.viewed"}
        assert not any(action.startswith(audit.SECRET_PREFIXES) for action in told)
        written = set(AuditEntry.objects.filter(party_id=asa.party_id).values_list("action", flat=True))
        assert written >= {"compliance.case.viewed", "compliance.screening.viewed"}

    def test_reading_the_log_about_a_case_is_told_to_nobody(self, asa: Person) -> None:
        client = staff("compliance")
        secret = audit.record("compliance.case.proposed", party_id=asa.party_id)
        plain = audit.record("accounts.person.changed", party_id=asa.party_id)
        for entry in (secret, plain):
            assert client.get(reverse("admin:core_auditentry_change", args=[entry.pk])).status_code == 200
        looks = AuditEntry.objects.filter(action="core.audit_entry.viewed")
        assert [look.object_id for look in looks] == [str(plain.id)]


class TestFilters:
    def test_endpoints_are_found_by_why_they_are_off(self, asa: Person) -> None:
        WebhookEndpoint.objects.update(state=WebhookEndpoint.State.DISABLED, disabled_reason="gone")
        client, place = staff("operations"), reverse("admin:engagement_webhookendpoint_changelist")
        for reason, count in (("gone", 1), ("failing", 0), ("", 1)):
            assert client.get(place, {"why": reason}).context["cl"].result_count == count


class TestManyRows:
    def test_no_list_asks_more_for_more_rows(self, asa: Person, now: datetime) -> None:
        cache.clear()
        client = verified(Person.objects.create_superuser("chief@example.com", "copper lantern drifting", name="Chief"))

        def asked() -> dict[str, int]:
            counts = {}
            for model in admin.site._registry:
                with CaptureQueriesContext(
                    connection,
                ) as queries:
                    assert client.get(pages(model)[0]).status_code == 200
                counts[label(model)] = len(queries)
            return counts

        asked()
        few = asked()
        for n in range(12):
            someone = person(f"n{n}@example.com", f"Number {n}")
            case_open(party_id=someone.party_id, reason="hit", now=now)
        events.relay()
        many = asked()
        # Twelve people more may cost a reading of the clock more, never one question each.
        assert {name: (few[name], many[name]) for name in few if many[name] > few[name] + 2} == {}
        assert max(many.values()) <= 16

    def test_a_long_list_is_counted_to_an_end(self, now: datetime) -> None:
        for n in range(30):
            audit.record(f"tests.{n}")
        paginator = CappedPaginator(AuditEntry.objects.order_by("-id"), 5)
        paginator.CAP = 20
        assert (paginator.count, paginator.num_pages) == (20, 4)
        with CaptureQueriesContext(connection) as queries:
            assert CappedPaginator(AuditEntry.objects.order_by("-id"), 5).count == 30
        assert "LIMIT 10000" in queries[0]["sql"]
