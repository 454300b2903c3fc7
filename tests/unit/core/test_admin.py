from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Person, TotpDevice
from accounts.models.factors import seed_new
from core import audit, clock, due, events
from core.models import AuditEntry, Delivery, DueWork, Event, IdempotencyKey, Rate

SECRET = "Dear Åsa, your code is 123456"
MODELS = ("event", "delivery", "duework", "auditentry", "rate", "idempotencykey")


def verified(person: Person) -> Client:
    """A browser whose session has shown the second factor."""
    device = TotpDevice.objects.create(user=person, name="phone", seed=seed_new())
    client = Client()
    client.force_login(person)
    session = client.session
    session["otp_device_id"] = device.persistent_id
    session.save()
    return client


@pytest.fixture
def chief(db: None) -> Client:
    cache.clear()
    return verified(Person.objects.create_superuser("chief@example.com", "copper lantern drifting", name="Chief"))


@pytest.fixture
def clerk(db: None) -> Person:
    """Staff without any right yet."""
    cache.clear()
    return Person.objects.create_user("clerk@example.com", "copper lantern drifting", name="Clerk", is_staff=True)


@pytest.fixture
def rows(db: None, now: datetime) -> dict[str, object]:
    """One row of each kind, the work and the delivery dead."""
    event = Event.objects.create(name="tests.thing.happened", party_id=uuid4(), created_at=now, fanned_out=True)
    key = IdempotencyKey(client="person:1", key="key-1", request_hash=b"h", created_at=now, status=201)
    key.answer = SECRET
    key.save()
    work = DueWork(kind="tests.work", run_key="one", state="dead", attempts=12, error="ValueError", due_at=now, created_at=now)
    work.secret = SECRET
    work.save()
    return {
        "event": event,
        "delivery": Delivery.objects.create(event=event, handler="a.b.c", state="dead", attempts=10, next_at=now, error="ValueError"),
        "duework": work,
        "auditentry": audit.record("tests.done", party_id=uuid4()),
        "rate": Rate.objects.create(currency="SEK", on_date=now.date(), rate=Decimal("11.5")),
        "idempotencykey": key,
    }


def listing(model: str) -> str:
    return reverse(f"admin:core_{model}_changelist")


def page(model: str, row: object) -> str:
    return reverse(f"admin:core_{model}_change", args=[row.pk])  # type: ignore[attr-defined]


class TestEveryPage:
    @pytest.mark.parametrize("model", MODELS)
    def test_opens_and_shows_no_secret(self, chief: Client, rows: dict[str, object], model: str) -> None:
        for address in (listing(model), page(model, rows[model])):
            response = chief.get(address)
            assert response.status_code == 200
            assert "123456" not in response.content.decode()

    @pytest.mark.parametrize("model", MODELS)
    def test_lets_nobody_add_change_or_delete(self, chief: Client, rows: dict[str, object], model: str) -> None:
        add = reverse(f"admin:core_{model}_add")
        delete = reverse(f"admin:core_{model}_delete", args=[rows[model].pk])  # type: ignore[attr-defined]
        assert chief.get(add).status_code == 403
        assert chief.post(delete, {"post": "yes"}).status_code == 403
        assert chief.post(page(model, rows[model]), {"state": "done", "name": "x"}).status_code == 403
        assert "delete_selected" not in chief.get(listing(model)).content.decode()

    @pytest.mark.parametrize("model", MODELS)
    def test_is_closed_to_staff_without_the_right(self, clerk: Person, rows: dict[str, object], model: str) -> None:
        assert verified(clerk).get(listing(model)).status_code == 403

    @pytest.mark.parametrize("model", MODELS)
    def test_is_closed_without_the_second_factor(self, clerk: Person, rows: dict[str, object], model: str) -> None:
        clerk.is_superuser = True
        clerk.save()
        client = Client()
        assert client.get(listing(model)).status_code == 302
        client.force_login(clerk)
        assert client.get(listing(model)).status_code == 302

    def test_does_not_exist_for_data_keys(self, chief: Client) -> None:
        assert "datakey" not in chief.get(reverse("admin:index")).content.decode().lower()

    @pytest.mark.parametrize("model", MODELS)
    def test_does_not_ask_more_for_more_rows(
        self, chief: Client, rows: dict[str, object], now: datetime, model: str, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for n in range(30):
            event = Event.objects.create(name=f"tests.{n}", created_at=now)
            Delivery.objects.create(event=event, handler="a.b.c", next_at=now)
            due.schedule("tests.work", run_key=str(n), due_at=now + timedelta(days=n))
            audit.record("tests.done")
        with django_assert_max_num_queries(14):
            assert chief.get(listing(model)).status_code == 200


class TestSearch:
    def found(self, client: Client, model: str, text: str) -> int:
        response = client.get(listing(model), {"q": text})
        assert response.status_code == 200
        return int(response.context["cl"].result_count)

    def test_finds_events_by_name_id_and_party(self, chief: Client, rows: dict[str, Event]) -> None:
        event = rows["event"]
        for text in ("tests.thing", str(event.id), f" {event.party_id} "):
            assert self.found(chief, "event", text) == 1
        for text in ("thing", str(uuid4()), "%"):
            assert self.found(chief, "event", text) == 0

    def test_finds_deliveries_by_their_event_and_entries_by_their_object(self, chief: Client, rows: dict[str, Event]) -> None:
        assert self.found(chief, "delivery", str(rows["event"].id)) == 1
        entry = audit.record("tests.seen", object_type="wallet", object_id=rows["event"].id)
        assert self.found(chief, "auditentry", str(rows["event"].id)) == 1
        assert self.found(chief, "auditentry", str(entry.id)) == 1
        assert self.found(chief, "auditentry", "tests.d") == 1

    def test_filters_by_state_handler_and_kind(self, chief: Client, rows: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "_handlers", {"x": {"a.b.c": lambda event: None, "a.b.d": lambda event: None}})
        monkeypatch.setattr(due, "_workers", {"tests.work": lambda work: None})
        for model, query, count in (
            ("delivery", "state__exact=dead", 1),
            ("delivery", "state__exact=done", 0),
            ("delivery", "handler=a.b.c", 1),
            ("delivery", "handler=a.b.d", 0),
            ("duework", "state__exact=dead&kind=tests.work", 1),
            ("duework", "state__exact=waiting", 0),
        ):
            assert chief.get(f"{listing(model)}?{query}").context["cl"].result_count == count


class TestReplay:
    def replay(self, client: Client, model: str, *rows: object) -> None:
        chosen = {"action": "replay", "_selected_action": [str(row.pk) for row in rows]}  # type: ignore[attr-defined]
        client.post(listing(model), chosen, follow=True)

    @pytest.mark.parametrize(("model", "name"), [("delivery", "delivery"), ("duework", "due_work")])
    def test_puts_a_dead_letter_back_and_says_who_did_it(self, chief: Client, rows: dict[str, Delivery], model: str, name: str) -> None:
        row = rows[model]
        self.replay(chief, model, row)
        row.refresh_from_db()
        assert (row.state, row.attempts, row.error) == ("waiting", 0, "")
        entry = AuditEntry.objects.get(action=f"core.{name}.replayed")
        assert (entry.actor_kind, entry.object_type, entry.object_id) == ("staff", name, str(row.pk))

    def test_leaves_what_is_not_dead_alone(self, chief: Client, rows: dict[str, Delivery]) -> None:
        Delivery.objects.update(state="done", done_at=clock.now())
        self.replay(chief, "delivery", rows["delivery"])
        assert Delivery.objects.get().state == "done"
        assert not AuditEntry.objects.filter(action="core.delivery.replayed").exists()

    @pytest.mark.parametrize(("right", "state"), [("view_delivery", "dead"), ("change_delivery", "waiting")])
    def test_needs_the_right_to_change(self, clerk: Person, rows: dict[str, Delivery], right: str, state: str) -> None:
        clerk.user_permissions.add(Permission.objects.get(codename=right, content_type__app_label="core"))
        self.replay(verified(clerk), "delivery", rows["delivery"])
        assert Delivery.objects.get().state == state

    def test_lets_the_work_be_done(self, chief: Client, rows: dict[str, DueWork], monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[str] = []

        def work(work: DueWork) -> None:
            seen.append(work.secret)

        monkeypatch.setattr(due, "_workers", {"tests.work": work})
        self.replay(chief, "duework", rows["duework"])
        assert due.sweep() == 1
        assert seen == [SECRET]
