from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.approvals import Action, approval_confirm, approval_decline, approval_request, approval_take
from accounts.errors import (
    ApprovalExpired,
    ApprovalInvalid,
    ApprovalMismatch,
    ApprovalUsed,
    ApprovalVoid,
    PasswordWrong,
    TriesExhausted,
)
from accounts.models import Approval, Person
from core import clock
from core.errors import NotFound
from core.ids import uuid7
from core.models import AuditEntry
from core.money import Money
from tests.unit.accounts.conftest import PASSWORD

PAYEE = UUID("01890000-0000-7000-8000-000000000001")
ACTION = Action("transfer", Money(2000, "EUR"), PAYEE, {"wallet": "w1"})


def confirmed(person: Person, action: Action, now: datetime) -> Approval:
    return approval_confirm(person, approval_request(person, action, now).id, password=PASSWORD, now=now)


class TestAction:
    def test_its_hash_is_stable(self) -> None:
        # Pinned: a change of the canonical form makes every open approval void.
        assert ACTION.digest().hex() == "abe340fd8386327d9d27a8731b0970c174b314775b7e233030653116c8085da3"
        assert ACTION.digest() == Action("transfer", Money(2000, "EUR"), PAYEE, {"wallet": "w1"}).digest()

    @pytest.mark.parametrize(
        "other",
        [
            replace(ACTION, amount=Money(2001, "EUR")),
            replace(ACTION, amount=Money(2000, "SEK")),
            replace(ACTION, amount=None),
            replace(ACTION, payee=UUID(int=PAYEE.int + 1)),
            replace(ACTION, kind="payout"),
            replace(ACTION, extra={"wallet": "w2"}),
            replace(ACTION, extra={}),
            replace(ACTION, extra={"wallet": "w1", "more": None}),
        ],
    )
    def test_one_digit_changes_it(self, other: Action) -> None:
        assert other.digest() != ACTION.digest()

    def test_comes_back_as_it_was(self) -> None:
        assert Action.parse(ACTION.canonical()) == ACTION

    def test_carries_no_prose(self) -> None:
        with pytest.raises(TypeError):
            Action("transfer", extra={"note": "x" * 201}).digest()


@pytest.mark.django_db
class TestApprovalConfirm:
    def test_needs_the_password(self, asa: Person, now: datetime) -> None:
        approval = approval_request(asa, ACTION, now)
        with pytest.raises(PasswordWrong) as refused:
            approval_confirm(asa, approval.id, password="wrong", now=now)
        assert refused.value.extra == {"tries_left": 4}
        assert approval_confirm(asa, approval.id, password=PASSWORD, now=now).state == "confirmed"
        assert approval_confirm(asa, approval.id, password="whatever", now=now).state == "confirmed"

    def test_the_fifth_wrong_password_voids_it(self, asa: Person, now: datetime) -> None:
        approval = approval_request(asa, ACTION, now)
        for _ in range(4):
            with pytest.raises(PasswordWrong):
                approval_confirm(asa, approval.id, password="wrong", now=now)
        with pytest.raises(TriesExhausted):
            approval_confirm(asa, approval.id, password="wrong", now=now)
        with pytest.raises(ApprovalVoid):
            approval_confirm(asa, approval.id, password=PASSWORD, now=now)

    def test_new_approvals_do_not_bring_new_tries(self, asa: Person, now: datetime) -> None:
        for _ in range(3):
            approval = approval_request(asa, ACTION, now)
            for _ in range(5):
                with pytest.raises((PasswordWrong, TriesExhausted)):
                    approval_confirm(asa, approval.id, password="wrong", now=now)
        with pytest.raises(TriesExhausted):
            approval_confirm(asa, approval_request(asa, ACTION, now).id, password=PASSWORD, now=now)
        later = now + timedelta(hours=1, seconds=1)
        assert approval_confirm(asa, approval_request(asa, ACTION, later).id, password=PASSWORD, now=later).state == "confirmed"

    def test_is_nobody_elses(self, asa: Person, bo: Person, now: datetime) -> None:
        with pytest.raises(NotFound):
            approval_confirm(bo, approval_request(asa, ACTION, now).id, password=PASSWORD, now=now)

    def test_ends_after_five_minutes(self, asa: Person, now: datetime) -> None:
        approval = approval_request(asa, ACTION, now)
        with pytest.raises(ApprovalExpired):
            approval_confirm(asa, approval.id, password=PASSWORD, now=now + timedelta(minutes=5))

    @pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "evil"])
    def test_goes_on_only_within_the_hub(self, asa: Person, now: datetime, path: str) -> None:
        with pytest.raises(ValueError, match="path of this hub"):
            approval_request(asa, ACTION, now, next_path=path)


@pytest.mark.django_db
class TestApprovalTake:
    def test_is_good_once(self, asa: Person, now: datetime) -> None:
        approval = confirmed(asa, ACTION, now)
        assert approval_take(approval.id, ACTION, asa, now).state == "taken"
        with pytest.raises(ApprovalUsed):
            approval_take(approval, ACTION, asa, now)
        assert list(AuditEntry.objects.filter(object_id=str(approval.id)).order_by("id").values_list("action", flat=True)) == [
            "accounts.approval.requested",
            "accounts.approval.confirmed",
            "accounts.approval.taken",
        ]

    def test_needs_a_confirmed_one_of_the_same_person(self, asa: Person, bo: Person, now: datetime) -> None:
        with pytest.raises(ApprovalInvalid):
            approval_take(approval_request(asa, ACTION, now), ACTION, asa, now)
        with pytest.raises(ApprovalInvalid):
            approval_take(confirmed(asa, ACTION, now), ACTION, bo, now)
        with pytest.raises(ApprovalInvalid):
            approval_take(uuid7(), ACTION, asa, now)

    def test_ends_after_five_minutes(self, asa: Person, now: datetime) -> None:
        with pytest.raises(ApprovalExpired):
            approval_take(confirmed(asa, ACTION, now), ACTION, asa, now + timedelta(minutes=5))

    def test_a_declined_one_is_void(self, asa: Person, now: datetime) -> None:
        approval = confirmed(asa, ACTION, now)
        approval_decline(asa, approval.id, now=now)
        with pytest.raises(ApprovalVoid):
            approval_take(approval, ACTION, asa, now)

    @pytest.mark.parametrize("other", [replace(ACTION, amount=Money(2001, "EUR")), replace(ACTION, payee=UUID(int=7))])
    def test_another_amount_or_payee_voids_it(self, asa: Person, now: datetime, other: Action) -> None:
        approval = confirmed(asa, ACTION, now)
        with pytest.raises(ApprovalMismatch):
            approval_take(approval, other, asa, now)
        with pytest.raises(ApprovalVoid):
            approval_take(approval, ACTION, asa, now)


class TestWithRealCommits:
    def _asa(self, now: datetime) -> Person:
        return services.person_sign_up(email="asa@example.com", name="Asa", password=PASSWORD, now=now)

    def test_of_twenty_who_take_it_at_once_one_does(self, fresh_db: str, now: datetime) -> None:
        asa = self._asa(now)
        approval = confirmed(asa, ACTION, now)
        results: list[str] = []
        barrier = threading.Barrier(20)

        def take() -> None:
            barrier.wait()
            try:
                with transaction.atomic():
                    results.append(approval_take(approval.id, ACTION, asa, now).state)
            except ApprovalInvalid as error:
                results.append(error.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=take) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == ["approval_used"] * 19 + ["taken"]

    def test_a_mismatch_stays_void_although_the_payment_rolls_back(self, fresh_db: str, now: datetime) -> None:
        asa = self._asa(now)
        approval = confirmed(asa, ACTION, now)
        with pytest.raises(ApprovalMismatch), transaction.atomic():
            approval_take(approval.id, replace(ACTION, amount=Money(2001, "EUR")), asa, now)
        assert Approval.objects.get(id=approval.id).state == "void"

    def test_a_payment_that_rolls_back_does_not_spend_it(self, fresh_db: str, now: datetime) -> None:
        asa = self._asa(now)
        approval = confirmed(asa, ACTION, now)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            approval_take(approval.id, ACTION, asa, now)
            raise ZeroDivisionError
        assert approval_take(approval.id, ACTION, asa, now).state == "taken"

    def test_parallel_guesses_are_all_counted(self, fresh_db: str, now: datetime) -> None:
        asa = self._asa(now)
        approval = approval_request(asa, ACTION, now)

        def guess() -> None:
            try:
                approval_confirm(asa, approval.id, password="wrong", now=now)
            except (PasswordWrong, TriesExhausted, ApprovalVoid):
                pass
            finally:
                connection.close()

        threads = [threading.Thread(target=guess) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        approval.refresh_from_db()
        assert (approval.wrong_tries, approval.state) == (5, "void")


@pytest.mark.django_db
class TestApprovePage:
    def _approval(self, asa: Person, bo: Person) -> Approval:
        return approval_request(asa, Action("transfer", Money(2000, "EUR"), bo.party_id), clock.now(), next_path="/pay/send/?step=3")

    def test_shows_amount_and_payee_then_goes_on(self, asa: Person, bo: Person, asa_client: Client) -> None:
        approval = self._approval(asa, bo)
        page = asa_client.get(reverse("approve", args=[approval.id]))
        assert page.status_code == 200
        assert "€20.00" in page.text
        assert "Bo E." in page.text
        answer = asa_client.post(reverse("approve", args=[approval.id]), {"password": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (302, f"/pay/send/?step=3&approval={approval.id}")

    def test_shows_the_amount_even_when_amounts_are_hidden(self, asa: Person, bo: Person, asa_client: Client, now: datetime) -> None:
        services.person_update(person=asa, hide_amounts=True, now=now)
        assert "€20.00" in asa_client.get(reverse("approve", args=[self._approval(asa, bo).id])).text

    def test_says_what_is_wrong(self, asa: Person, bo: Person, asa_client: Client) -> None:
        approval = self._approval(asa, bo)
        page = asa_client.post(reverse("approve", args=[approval.id]), {"password": "wrong"})
        assert page.status_code == 422
        assert "This is not your password" in page.text
        assert "<title>Error: Send money" in page.text

    def test_no_means_no(self, asa: Person, bo: Person, asa_client: Client) -> None:
        approval = self._approval(asa, bo)
        assert asa_client.post(reverse("approve", args=[approval.id]), {"decline": "yes"}).status_code == 302
        assert "It is void" in asa_client.get(reverse("approve", args=[approval.id])).text
        assert asa_client.post(reverse("approve", args=[approval.id]), {"password": PASSWORD}).status_code == 200

    def test_is_not_there_for_others(self, asa: Person, bo: Person, now: datetime) -> None:
        approval = self._approval(asa, bo)
        stranger, anonymous = Client(), Client()
        stranger.force_login(bo)
        assert stranger.get(reverse("approve", args=[approval.id])).status_code == 404
        assert anonymous.get(reverse("approve", args=[approval.id])).status_code == 302
