"""Endpoints, who is told what, tries and their waits, secrets, the API and staff's pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.urls import reverse
from standardwebhooks import Webhook
from standardwebhooks.exceptions import WebhookVerificationError

from accounts.models import PartnerApplication, Person
from accounts.services import consent_grant, consent_revoke, partner_create
from core import clock, due, privacy
from core.api.scopes import WEBHOOKS_MANAGE
from core.models import AuditEntry, DueWork
from engagement.models import Notice, WebhookDelivery, WebhookEndpoint, WebhookSecret
from engagement.webhooks import services, wire
from engagement.webhooks.services import KIND
from tests.unit.api.conftest import Api, bearer, session_api, token_for
from tests.unit.compliance.test_admin import clerk_of
from tests.unit.engagement import receivers
from tests.unit.engagement.conftest import EUR_20, deliver, work_off
from tests.unit.engagement.receivers import Receiver
from tests.unit.payments.conftest import Customer, customer_make

pytestmark = pytest.mark.django_db
State = WebhookDelivery.State


@pytest.fixture
def receiver(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    settings.HUB_ALLOW_PRIVATE_WEBHOOKS = True
    monkeypatch.setattr(wire, "TOTAL_SECONDS", 0.5)
    with receivers.running() as running:
        yield running


@pytest.fixture
def partner(db: None) -> PartnerApplication:
    owner = customer_make("partner")
    return partner_create(
        name="Ledger Books", redirect_uris=["https://p.example/x"], party=owner.person.party, answers=owner.person, now=clock.now()
    ).application


@pytest.fixture
def endpoint(partner: PartnerApplication, receiver: Receiver) -> services.EndpointCreated:
    deliver()  # what was before is nobody's news
    return services.endpoint_create(application=partner, url=receiver.url, now=clock.now())


def consent(asa: Customer, partner: PartnerApplication, *scopes: str) -> Any:
    return consent_grant(
        person=asa.person, application=partner, party_id=asa.party_id, scopes=scopes or ["transfers:read"], now=clock.now()
    )


def waiting() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def send_all() -> int:
    deliver()
    return work_off(KIND)


def again(minutes: float = 0) -> int:
    """Everything that waits is due, and the endpoint has rested."""
    WebhookEndpoint.objects.update(rest_until=None)
    DueWork.objects.filter(kind=KIND, state="waiting").update(due_at=clock.now())
    return work_off(KIND)


class TestTold:
    def test_a_partner_with_consent_gets_ids_and_the_state_signed(
        self, asa: Customer, bo: Customer, partner: PartnerApplication, endpoint: services.EndpointCreated, receiver: Receiver
    ) -> None:
        consent(asa, partner)
        payment = asa.send("@bosse", EUR_20, note="Lunch", now=clock.now()).payment
        send_all()
        [(headers, body)] = receiver.received
        told = Webhook(endpoint.secret).verify(body, headers)
        assert told["type"] == "transfer.posted"
        assert told["data"] == {"party_id": str(asa.party_id), "id": str(payment.id), "state": "posted"}
        for text in (b"Lunch", b"2000", b"Bosse", b"example"):
            assert text not in body
        assert headers["webhook-id"] == waiting().message_id
        assert waiting().state == State.DELIVERED

    def test_without_consent_nothing(self, asa: Customer, bo: Customer, endpoint: services.EndpointCreated, receiver: Receiver) -> None:
        asa.send("@bosse", EUR_20, now=clock.now())
        send_all()
        assert receiver.received == []
        assert not WebhookDelivery.objects.exists()

    def test_with_consent_for_other_things_nothing(
        self, asa: Customer, bo: Customer, partner: PartnerApplication, endpoint: services.EndpointCreated
    ) -> None:
        consent(asa, partner, "wallets:read", "profile:read")
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        assert not WebhookDelivery.objects.exists()

    def test_the_payees_partner_learns_of_what_arrived_and_not_of_what_waits(
        self, asa: Customer, bo: Customer, partner: PartnerApplication, endpoint: services.EndpointCreated
    ) -> None:
        from core.money import Money

        consent(bo, partner)
        asa.send("@bosse", Money(35_00, "EUR"), now=clock.now())
        deliver()
        assert not WebhookDelivery.objects.exists()
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        assert waiting().party_id == bo.party_id

    def test_the_partners_own_party_needs_no_consent(
        self, asa: Customer, partner: PartnerApplication, endpoint: services.EndpointCreated
    ) -> None:
        asa.send("@partner", EUR_20, now=clock.now())
        deliver()
        assert waiting().party_id == partner.party_id

    def test_only_the_types_that_are_wanted(
        self, asa: Customer, bo: Customer, partner: PartnerApplication, endpoint: services.EndpointCreated
    ) -> None:
        consent(asa, partner)
        services.endpoint_change(endpoint=endpoint.endpoint, event_types=["transfer.reversed"])
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        assert not WebhookDelivery.objects.exists()

    def test_an_event_delivered_again_is_one_message(
        self, asa: Customer, bo: Customer, partner: PartnerApplication, endpoint: services.EndpointCreated, receiver: Receiver
    ) -> None:
        from core.models import Delivery

        consent(asa, partner)
        asa.send("@bosse", EUR_20, now=clock.now())
        send_all()
        Delivery.objects.filter(handler__contains="webhooks", event__name="payments.transfer.posted").update(state="waiting")
        send_all()
        assert len(receiver.received) == 1

    def test_a_consent_taken_back_stops_what_was_in_line(
        self, asa: Customer, bo: Customer, partner: PartnerApplication, endpoint: services.EndpointCreated, receiver: Receiver
    ) -> None:
        given = consent(asa, partner)
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        consent_revoke(person=asa.person, consent_id=given.id, now=clock.now())
        work_off(KIND)
        assert (receiver.received, waiting().state) == ([], State.DROPPED)

    def test_a_partner_that_was_stopped_hears_nothing(
        self, asa: Customer, bo: Customer, partner: PartnerApplication, endpoint: services.EndpointCreated, receiver: Receiver
    ) -> None:
        consent(asa, partner)
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        PartnerApplication.objects.update(is_active=False)
        work_off(KIND)
        assert receiver.received == []


class TestTries:
    def test_a_failure_is_tried_again_under_the_same_id(self, endpoint: services.EndpointCreated, receiver: Receiver) -> None:
        receiver.plan = [500, 200]
        delivery = services.ping(endpoint=endpoint.endpoint, now=clock.now())
        work_off(KIND)
        assert waiting().state == State.WAITING
        assert DueWork.objects.get(kind=KIND).due_at > clock.now()
        again()
        assert [line.status for line in delivery.log.order_by("id")] == [500, 200]
        assert {headers["webhook-id"] for headers, _body in receiver.received} == {delivery.message_id}
        endpoint.endpoint.refresh_from_db()
        assert (waiting().state, endpoint.endpoint.failing_since, endpoint.endpoint.failures) == (State.DELIVERED, None, 0)

    def test_waits_grow_and_then_it_is_given_up(self, endpoint: services.EndpointCreated, receiver: Receiver) -> None:
        receiver.plan = [503] * 20
        services.ping(endpoint=endpoint.endpoint, now=clock.now())
        waits = []
        work_off(KIND)
        while waiting().state == State.WAITING:
            waits.append(round((DueWork.objects.get(kind=KIND).due_at - clock.now()).total_seconds()))
            again()
        assert waits == sorted(waits)
        assert len(waits) == len(services.LADDER)
        assert (waiting().state, waiting().tries) == (State.FAILED, len(services.LADDER) + 1)

    def test_one_that_never_answers_does_not_hold_up_the_others(
        self, partner: PartnerApplication, endpoint: services.EndpointCreated, receiver: Receiver
    ) -> None:
        with receivers.running() as good:
            other = services.endpoint_create(application=partner, url=good.url, now=clock.now()).endpoint
            receiver.plan = ["hang"] * 50
            for _ in range(10):
                services.ping(endpoint=endpoint.endpoint, now=clock.now())
            services.ping(endpoint=other, now=clock.now())
            work_off(KIND)
            # One time-out, then the endpoint rests and its nine other messages cost nothing.
            assert len(receiver.received) == 1
            assert len(good.received) == 1
            again()
            assert len(receiver.received) == 2

    def test_switched_off_after_days_of_failure_with_a_notice(
        self, partner: PartnerApplication, endpoint: services.EndpointCreated, receiver: Receiver
    ) -> None:
        receiver.plan = [500] * 5
        WebhookEndpoint.objects.update(failing_since=clock.now() - timedelta(days=4))
        services.ping(endpoint=endpoint.endpoint, now=clock.now())
        again()
        endpoint.endpoint.refresh_from_db()
        assert endpoint.endpoint.state == "active"
        WebhookEndpoint.objects.update(failing_since=clock.now() - services.DISABLE_AFTER)
        again()
        deliver()
        endpoint.endpoint.refresh_from_db()
        assert (endpoint.endpoint.state, endpoint.endpoint.disabled_reason) == ("disabled", "failing")
        assert Notice.objects.get(kind="webhook_disabled").person.party_id == partner.party_id

    def test_gone_is_gone_at_once(self, endpoint: services.EndpointCreated, receiver: Receiver) -> None:
        receiver.plan = [410]
        services.ping(endpoint=endpoint.endpoint, now=clock.now())
        work_off(KIND)
        endpoint.endpoint.refresh_from_db()
        assert endpoint.endpoint.disabled_reason == "gone"

    def test_an_address_that_became_private_is_not_sent_to(
        self, endpoint: services.EndpointCreated, receiver: Receiver, settings: Any
    ) -> None:
        settings.HUB_ALLOW_PRIVATE_WEBHOOKS = False
        services.ping(endpoint=endpoint.endpoint, now=clock.now())
        work_off(KIND)
        assert receiver.received == []
        assert waiting().log.get().error == "address_forbidden"

    def test_resent_whatever_became_of_it(self, endpoint: services.EndpointCreated, receiver: Receiver) -> None:
        delivery = services.ping(endpoint=endpoint.endpoint, now=clock.now())
        work_off(KIND)
        services.delivery_resend(delivery=delivery, now=clock.now())
        work_off(KIND)
        assert len(receiver.received) == 2
        assert receiver.received[0][0]["webhook-id"] == receiver.received[1][0]["webhook-id"]

    def test_a_worker_killed_in_the_middle_sends_again_under_the_same_id(
        self, endpoint: services.EndpointCreated, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        services.ping(endpoint=endpoint.endpoint, now=clock.now())
        with monkeypatch.context() as patch:
            patch.setattr(services, "_settle", lambda *args: 1 / 0)
            work_off(KIND)
        again()
        assert len({headers["webhook-id"] for headers, _body in receiver.received}) == 1
        assert (len(receiver.received), waiting().state) == (2, State.DELIVERED)


class TestSecrets:
    def test_two_sign_while_a_receiver_changes_over(self, endpoint: services.EndpointCreated, receiver: Receiver) -> None:
        new = services.secret_rotate(endpoint=endpoint.endpoint, now=clock.now())
        services.ping(endpoint=endpoint.endpoint, now=clock.now())
        work_off(KIND)
        [(headers, body)] = receiver.received
        for secret in (endpoint.secret, new):
            assert Webhook(secret).verify(body, headers)["type"] == "ping"
        with pytest.raises(WebhookVerificationError):
            Webhook("whsec_" + base64.b64encode(b"x" * 32).decode()).verify(body, headers)

    def test_after_a_day_only_the_new_one(self, endpoint: services.EndpointCreated, receiver: Receiver) -> None:
        new = services.secret_rotate(endpoint=endpoint.endpoint, now=clock.now() - services.OLD_SECRET_HOLDS)
        services.ping(endpoint=endpoint.endpoint, now=clock.now())
        work_off(KIND)
        [(headers, body)] = receiver.received
        Webhook(new).verify(body, headers)
        assert " " not in headers["webhook-signature"]

    def test_never_more_than_two_hold(self, endpoint: services.EndpointCreated) -> None:
        from engagement.webhooks.selectors import secrets_at

        for _ in range(3):
            services.secret_rotate(endpoint=endpoint.endpoint, now=clock.now())
        assert len(secrets_at(endpoint.endpoint, clock.now())) == 2

    def test_lie_encrypted_with_the_address(self, endpoint: services.EndpointCreated) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT encode(secret, 'escape') FROM engagement_webhooksecret")
            stored = cursor.fetchone()[0]
            cursor.execute("SELECT t::text || encode(url, 'escape') FROM engagement_webhookendpoint t")
            stored += cursor.fetchone()[0]
        assert endpoint.secret not in stored
        assert "token=secret" not in stored


@pytest.fixture
def api(partner: PartnerApplication) -> Api:
    return bearer(token_for(partner, None, WEBHOOKS_MANAGE))


class TestApi:
    def test_from_an_endpoint_to_a_message_sent_again(self, api: Api, receiver: Receiver) -> None:
        made = api.post("/webhook-endpoints", {"url": receiver.url, "events": ["transfer.posted"]})
        assert (made.status_code, made.json()["enabled"]) == (201, True)
        where = f"/webhook-endpoints/{made.json()['id']}"
        assert "secret" not in api.get(where).json()
        assert [row["id"] for row in api.get("/webhook-endpoints").json()] == [made.json()["id"]]
        assert api.post(f"{where}/ping").status_code == 202
        work_off(KIND)
        Webhook(made.json()["secret"]).verify(receiver.received[0][1], receiver.received[0][0])
        [sent] = api.get(f"{where}/deliveries").json()["items"]
        assert (sent["state"], sent["tries"][0]["status"], sent["event_type"]) == ("delivered", 200, "ping")
        assert api.post(f"/webhook-deliveries/{sent['id']}/resend").json()["state"] == "waiting"
        work_off(KIND)
        assert len(receiver.received) == 2
        assert api.post(f"{where}/secret").json()["secret"] != made.json()["secret"]
        assert api.client.delete(f"/api/v1{where}", headers=api.headers).json()["enabled"] is False
        assert api.get(where).status_code == 404

    def test_switched_off_and_on(self, api: Api, endpoint: services.EndpointCreated) -> None:
        where = f"/api/v1/webhook-endpoints/{endpoint.endpoint.id}"
        patch = lambda body: api.client.patch(where, json.dumps(body), content_type="application/json", headers=api.headers)  # noqa: E731
        assert patch({"enabled": False}).json()["disabled_reason"] == "partner"
        assert api.post(f"{where}/ping").json()["code"] == "webhook_endpoint_disabled"
        assert patch({"enabled": True, "events": ["level.changed"]}).json()["enabled"] is True
        assert patch({"url": "https://10.0.0.1/"}).status_code == 422

    @pytest.mark.parametrize(
        "url", ["https://10.0.0.1/x", "http://partner.example/", "https://[::1]/", "", None, 7, "https://" + "a" * 900]
    )
    def test_refuses_an_address_at_its_field(self, api: Api, url: Any) -> None:
        answer = api.post("/webhook-endpoints", {"url": url})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")
        assert not WebhookEndpoint.objects.exists()

    @pytest.mark.parametrize("events", [["transfer.exploded"], ["*"], "transfer.posted", [1], [None], ["x" * 100]])
    def test_refuses_types_it_does_not_know(self, api: Api, receiver: Receiver, events: Any) -> None:
        assert api.post("/webhook-endpoints", {"url": receiver.url, "events": events}).status_code == 422

    def test_ten_are_enough(self, api: Api, partner: PartnerApplication, receiver: Receiver) -> None:
        for _ in range(10):
            services.endpoint_create(application=partner, url=receiver.url, now=clock.now())
        assert api.post("/webhook-endpoints", {"url": receiver.url}).json()["code"] == "webhook_endpoints_too_many"

    def test_pages_of_the_log_follow_each_other(self, api: Api, endpoint: services.EndpointCreated) -> None:
        for _ in range(5):
            services.ping(endpoint=endpoint.endpoint, now=clock.now())
        WebhookDelivery.objects.update(created_at=clock.now())
        where, seen, cursor = f"/webhook-endpoints/{endpoint.endpoint.id}/deliveries", [], ""
        while True:
            page = api.get(where, limit=2, **({"cursor": cursor} if cursor else {})).json()
            seen += [row["id"] for row in page["items"]]
            if not (cursor := page["next_cursor"]):
                break
        assert len(seen) == len(set(seen)) == 5
        assert api.get(where, cursor="x").status_code == 422


class TestWhoMay:
    def paths(self, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> list[tuple[str, str]]:
        one = f"/api/v1/webhook-endpoints/{endpoint.id}"
        return [("get", one), ("patch", one), ("delete", one), ("post", f"{one}/secret"), ("post", f"{one}/ping"),
                ("get", f"{one}/deliveries"), ("post", f"/api/v1/webhook-deliveries/{delivery.id}/resend")]  # fmt: skip

    def call(self, api: Api, method: str, path: str) -> int:
        call: Callable[..., Any] = getattr(api.client, method)
        body = {} if method == "get" else {"data": "{}", "content_type": "application/json"}
        return int(call(path, **body, headers=api.headers).status_code)

    def test_each_way_in(self, endpoint: services.EndpointCreated, partner: PartnerApplication, asa: Customer) -> None:
        delivery = services.ping(endpoint=endpoint.endpoint, now=clock.now())
        other = partner_create(name="Other", redirect_uris=[], party=asa.person.party, now=clock.now()).application
        callers = {
            404: [bearer(token_for(other, None, WEBHOOKS_MANAGE))],
            403: [
                bearer(token_for(partner, None, "wallets:read")),
                bearer(token_for(partner, asa.person, WEBHOOKS_MANAGE)),
                session_api(asa.person),
                session_api(Person.objects.get(party=partner.party)),
            ],
            401: [Api(), bearer("nonsense"), bearer(token_for(partner, None, WEBHOOKS_MANAGE, expired=True))],
        }
        for status, apis in callers.items():
            for api in apis:
                for method, path in self.paths(endpoint.endpoint, delivery):
                    assert self.call(api, method, path) == status, (status, method, path)
        endpoint.endpoint.refresh_from_db()
        assert (endpoint.endpoint.state, WebhookSecret.objects.count()) == ("active", 1)

    def test_a_deleted_one_is_not_found(self, api: Api, endpoint: services.EndpointCreated) -> None:
        delivery = services.ping(endpoint=endpoint.endpoint, now=clock.now())
        services.endpoint_delete(endpoint=endpoint.endpoint, now=clock.now())
        for method, path in self.paths(endpoint.endpoint, delivery):
            assert self.call(api, method, path) == 404

    def test_nothing_there_at_all(self, api: Api) -> None:
        assert api.get(f"/webhook-endpoints/{uuid4()}").status_code == 404


class TestStaff:
    def test_operations_make_one_and_see_the_secret_once(self, partner: PartnerApplication, receiver: Receiver) -> None:
        client = clerk_of("operations")
        form = {"application": str(partner.id), "url": receiver.url, "events": ["transfer.posted"]}
        answer = client.post(reverse("admin:engagement_webhookendpoint_add"), form, follow=True)
        endpoint = WebhookEndpoint.objects.get()
        assert WebhookSecret.objects.get().secret in answer.content.decode()
        assert endpoint.events == ["transfer.posted"]
        page = client.get(reverse("admin:engagement_webhookendpoint_change", args=[endpoint.id])).content.decode()
        assert WebhookSecret.objects.get().secret not in page
        assert AuditEntry.objects.filter(action="engagement.webhook.created", actor_kind="staff").exists()

    def test_a_private_address_is_shown_on_the_form(self, partner: PartnerApplication) -> None:
        answer = clerk_of("operations").post(
            reverse("admin:engagement_webhookendpoint_add"), {"application": str(partner.id), "url": "https://10.0.0.1/"}
        )
        assert answer.status_code == 200
        assert "anybody on the internet" in answer.content.decode()

    def test_switch_off_and_resend(self, endpoint: services.EndpointCreated, receiver: Receiver) -> None:
        client, delivery = clerk_of("operations"), services.ping(endpoint=endpoint.endpoint, now=clock.now())
        work_off(KIND)
        client.post(reverse("admin:engagement_webhookdelivery_changelist"), {"action": "resend", "_selected_action": [str(delivery.id)]})
        work_off(KIND)
        assert len(receiver.received) == 2
        assert client.get(reverse("admin:engagement_webhookdelivery_change", args=[delivery.id])).status_code == 200
        off = {"action": "switch_off", "_selected_action": [str(endpoint.endpoint.id)]}
        client.post(reverse("admin:engagement_webhookendpoint_changelist"), off)
        endpoint.endpoint.refresh_from_db()
        assert endpoint.endpoint.disabled_reason == "staff"

    def test_support_only_reads_and_compliance_does_not_see_it(self, endpoint: services.EndpointCreated) -> None:
        where = reverse("admin:engagement_webhookendpoint_changelist")
        assert clerk_of("support").get(where).status_code == 200
        assert clerk_of("compliance").get(where).status_code == 403


class TestPrivacy:
    def test_handed_out_erased_and_forgotten(
        self, asa: Customer, bo: Customer, partner: PartnerApplication, endpoint: services.EndpointCreated, receiver: Receiver
    ) -> None:
        consent(asa, partner)
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        assert privacy.export(asa.party_id)["engagement.webhooks"]["told_to_partners"][0]["partner"] == "Ledger Books"
        assert privacy.export(partner.party_id)["engagement.webhooks"]["endpoints"][0]["address"] == receiver.url
        party_id: UUID = partner.party_id
        privacy.erase(party_id, now=clock.now())
        assert WebhookEndpoint.objects.get().url == ""
        assert not WebhookSecret.objects.exists()
        assert services.deliveries_forget(now=clock.now() + timedelta(days=91)) == 1


def test_the_work_is_the_default_workers() -> None:
    assert KIND in due.kinds()
