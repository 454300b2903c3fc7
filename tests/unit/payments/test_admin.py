from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import Person
from payments.models import Payment
from tests.unit.core.test_admin import verified
from tests.unit.payments.conftest import PASSWORD, Customer, eur, reloaded
from tests.unit.payments.test_top_ups import paid
from tests.unit.sandbox import outside


def clerk_of(group: str) -> Client:
    cache.clear()
    clerk = Person.objects.create_user(f"{group}@example.com", PASSWORD, is_staff=True)
    clerk.groups.add(Group.objects.get(name=group))
    return verified(clerk)


def act(client: Client, action: str, *payments: Payment) -> None:
    answer = client.post(
        reverse("admin:payments_payment_changelist"), {"action": action, "_selected_action": [str(payment.id) for payment in payments]}
    )
    assert answer.status_code in (200, 302)


@pytest.mark.django_db
class TestPaymentAdmin:
    def test_support_reads_everything_but_the_note(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(20_00), note="a secret", now=now).payment
        support = clerk_of("support")
        listed = support.get(reverse("admin:payments_payment_changelist"), {"q": str(astrid.party_id)})
        assert (listed.status_code, str(payment.id) in listed.text) == (200, True)
        shown = support.get(reverse("admin:payments_payment_change", args=[payment.id]))
        assert (shown.status_code, "a secret" in shown.text, "20.00 EUR" in listed.text) == (200, False, True)

    def test_nothing_can_be_added_or_edited(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(20_00), now=now).payment
        operations = clerk_of("operations")
        assert operations.get(reverse("admin:payments_payment_add")).status_code == 403
        assert operations.post(reverse("admin:payments_payment_delete", args=[payment.id])).status_code == 403
        operations.post(reverse("admin:payments_payment_change", args=[payment.id]), {"state": "failed"})
        assert reloaded(payment).state == "posted"

    def test_operations_reverse_and_support_cannot(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(20_00), now=now).payment
        act(clerk_of("support"), "reverse_transfers", payment)
        assert reloaded(payment).state == "posted"
        operations = clerk_of("operations")
        act(operations, "reverse_transfers", payment)
        act(operations, "reverse_transfers", payment)
        assert (reloaded(payment).state, astrid.balance(), bo.balance()) == ("reversed", 100_00, 0)

    def test_operations_refund_a_top_up(self, astrid: Customer, provider: outside.Sandbox) -> None:
        payment = paid(provider, astrid)
        act(clerk_of("operations"), "refund_top_ups", payment)
        assert reloaded(payment).state == "refunded"

    def test_raw_messages_are_not_shown(self, db: None) -> None:
        assert clerk_of("operations").get(reverse("admin:payments_providerevent_changelist")).status_code == 200
