from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.urls import reverse

from accounts.models import Person
from accounts.staff_groups import GROUPS
from core.models import AuditEntry
from core.money import Money
from payments.bills.services import Terms, To, bill_create
from payments.services import transfer_send
from tests.people import funded, person
from tests.unit.core.test_admin import verified


def history(now: datetime) -> Person:
    asa, bo = person("asa@example.com", "Åsa Lind"), person("bo@example.com", "Bo Ek")
    wallet = funded(asa, 120_00, now - timedelta(days=3))
    transfer_send(
        by=asa, party_id=asa.party_id, source_wallet_id=wallet.id, payee=bo.email, amount=Money(10_00, "EUR"), idempotency_key="k", now=now
    )
    terms = Terms(name="Choir of sorts", wallet_id=wallet.id, amount=Money(9_00, "EUR"), first_on=now.date() + timedelta(days=3))
    bill_create(by=asa, party_id=asa.party_id, to=To(payee=bo.email), terms=terms, idempotency_key="b", now=now)
    return asa


@pytest.mark.django_db
class TestPages:
    def test_every_list_and_a_row_of_each_opens(self, now: datetime) -> None:
        cache.clear()
        history(now)
        client = verified(Person.objects.create_superuser("chief@example.com", "copper lantern drifting", name="Chief"))
        for model in admin.site._registry:
            place = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            assert client.get(reverse(f"{place}_changelist"), {"q": "x"}).status_code == 200, model
            assert client.get(reverse(f"{place}_changelist")).status_code == 200, model
            row = model._default_manager.first()
            if row is not None:
                page = client.get(reverse(f"{place}_change", args=[row.pk]))
                assert page.status_code == 200, model
                assert "Choir of sorts" not in page.text, model

    def test_a_look_at_money_is_told_to_both_sides(self, now: datetime) -> None:
        cache.clear()
        asa = history(now)
        client = verified(Person.objects.create_superuser("chief@example.com", "copper lantern drifting", name="Chief"))
        for name, model in (("payments.payment", "payment"), ("payments.bill", "bill")):
            row = next(found for found in admin.site._registry if found._meta.model_name == model)._default_manager.get()
            client.get(reverse(f"admin:payments_{model}_change", args=[row.pk]))
            assert AuditEntry.objects.filter(action=f"{name}.viewed", party_id=asa.party_id).count() == 1
            assert AuditEntry.objects.filter(action=f"{name}.viewed").count() == 2


@pytest.mark.django_db
class TestRights:
    def test_nobody_in_a_group_changes_money_people_or_the_spine_but_by_what_is_listed(self) -> None:
        writing = {
            group: set(
                Permission.objects.filter(group__name=group)
                .exclude(codename__startswith="view_")
                .values_list("content_type__app_label", "codename")
            )
            for group in GROUPS
        }
        assert not any(app in ("wallets", "core") for app, _codename in writing["support"] | writing["compliance"])
        checking = {"add_reconciliationrun", "change_reconciliationitem"}
        assert {codename for app, codename in writing["operations"] if app == "wallets"} == checking
        for codename in ("change_payment", "change_mismatch"):
            assert ("payments", codename) not in writing["support"] | writing["compliance"]

    def test_only_compliance_and_operations_see_the_ledger(self) -> None:
        seeing = Permission.objects.get(codename="view_ledgertransfer").group_set.values_list("name", flat=True)
        assert set(seeing) == {"compliance", "operations"}
