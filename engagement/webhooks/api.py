"""The API of webhooks: a partner's program manages its own endpoints, with its own credentials."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.api import parse
from core.api.access import caller_of
from core.api.paging import PageInput, page_answer, page_of, place_pack, place_unpack
from core.api.scopes import WEBHOOKS_MANAGE
from core.api.views import ApiView
from engagement.webhooks import selectors, services
from engagement.webhooks.errors import OwnCredentialsRequired
from engagement.webhooks.models import WebhookDelivery, WebhookEndpoint
from engagement.webhooks.types import NAMES
from engagement.webhooks.wire import URL_MAX

ID = "0199b2c4-8d5e-7000-8000-0000000000e1"
_EVENTS = "Event types you want; empty means all. " + ", ".join(f"`{name}`" for name in NAMES) + "."


class EndpointInput(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=URL_MAX, help_text="An https address on the public internet.")
    events = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, default=list, max_length=50, help_text=_EVENTS
    )


class EndpointChange(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=URL_MAX, required=False)
    events = serializers.ListField(child=serializers.CharField(max_length=40), required=False, max_length=50, help_text=_EVENTS)
    enabled = serializers.BooleanField(required=False)


class EndpointSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    disabled_reason = serializers.CharField(allow_null=True, help_text="partner, staff, failing, gone or deleted.")
    failing_since = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class SecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Signs what we send, by Standard Webhooks. Shown this once.")


class EndpointCreatedSerializer(EndpointSerializer):
    secret = serializers.CharField(help_text="Signs what we send, by Standard Webhooks. Shown this once.")


class TrySerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="Your answer's; 2xx is delivered.")
    error = serializers.CharField(allow_null=True, help_text="timeout, connection, tls or address_forbidden.")
    took_ms = serializers.IntegerField()


class DeliverySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    message_id = serializers.CharField(help_text="The header webhook-id; the same for every try.")
    event_type = serializers.CharField()
    state = serializers.ChoiceField(choices=WebhookDelivery.State.choices)
    payload = serializers.DictField()
    created_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    tries = TrySerializer(many=True)


ENDPOINT = {
    "id": ID,
    "url": "https://partner.example/hooks",
    "events": ["transfer.posted"],
    "enabled": True,
    "disabled_reason": None,
    "failing_since": None,
    "created_at": "2026-03-11T12:00:00.000000Z",
}
DELIVERY = {
    "id": "0199b2c4-8d5e-7000-8000-0000000000e2",
    "message_id": "msg_0199b2c48d5e700080000000000000e2",
    "event_type": "transfer.posted",
    "state": "delivered",
    "payload": {
        "type": "transfer.posted",
        "timestamp": "2026-03-11T12:00:00Z",
        "data": {"party_id": "0199b2c4-8d5e-7000-8000-000000000002", "id": "0199b2c4-8d5e-7000-8000-0000000000a1", "state": "posted"},
    },
    "created_at": "2026-03-11T12:00:00.000000Z",
    "delivered_at": "2026-03-11T12:00:01.000000Z",
    "tries": [{"at": "2026-03-11T12:00:01.000000Z", "status": 200, "error": None, "took_ms": 84}],
}


def _endpoint(row: WebhookEndpoint, **more: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": row.url,
        "events": row.events,
        "enabled": row.state == WebhookEndpoint.State.ACTIVE,
        "disabled_reason": row.disabled_reason or None,
        "failing_since": row.failing_since,
        "created_at": row.created_at,
        **more,
    }


def _delivery(row: WebhookDelivery) -> dict[str, Any]:
    log = sorted(row.log.all(), key=lambda line: line.id)
    return {
        "id": row.id,
        "message_id": row.message_id,
        "event_type": row.event_type,
        "state": row.state,
        "payload": row.payload,
        "created_at": row.created_at,
        "delivered_at": row.delivered_at,
        "tries": [{"at": line.at, "status": line.status, "error": line.error or None, "took_ms": line.took_ms} for line in log],
    }


class WebhookView(ApiView):
    tag = "Webhooks"
    ways_in = ("oauth2",)
    application_id: UUID

    def scope_for(self, request: Request) -> UUID:
        caller = caller_of(request)
        if caller.own_party_id is None or caller.application_id is None:
            raise OwnCredentialsRequired
        self.application_id = caller.application_id
        return caller.own_party_id


class EndpointsView(WebhookView):
    scopes: ClassVar = {"GET": WEBHOOKS_MANAGE, "POST": WEBHOOKS_MANAGE}

    @extend_schema(
        operation_id="webhook_endpoint_list",
        summary="Your endpoints",
        responses=EndpointSerializer(many=True),
        examples=[OpenApiExample("One", value=ENDPOINT, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        return Response(EndpointSerializer([_endpoint(row) for row in selectors.endpoints_of(self.application_id)], many=True).data)

    @extend_schema(
        operation_id="webhook_endpoint_create",
        summary="Be told at an address",
        description=(
            "Messages are signed by Standard Webhooks and hold ids and states of the parties you may see; read the rest over the API. "
            "What is not answered with 2xx within eight seconds is tried again for about three days."
        ),
        request=EndpointInput,
        responses={201: EndpointCreatedSerializer},
        examples=[
            OpenApiExample(
                "Transfers that are done", value={"url": "https://partner.example/hooks", "events": ["transfer.posted"]}, request_only=True
            ),
            OpenApiExample("Made", value={**ENDPOINT, "secret": "whsec_..."}, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        data = parse(EndpointInput, request)
        application = services.application_get(self.application_id)
        made = services.endpoint_create(application=application, url=data["url"], event_types=data["events"], now=clock.now())
        return Response(EndpointCreatedSerializer(_endpoint(made.endpoint, secret=made.secret)).data, status=201)


class EndpointView(WebhookView):
    scopes: ClassVar = {"GET": WEBHOOKS_MANAGE, "PATCH": WEBHOOKS_MANAGE, "DELETE": WEBHOOKS_MANAGE}

    @extend_schema(
        operation_id="webhook_endpoint_read",
        summary="One endpoint",
        responses=EndpointSerializer,
        examples=[OpenApiExample("One", value=ENDPOINT, response_only=True)],
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        return Response(EndpointSerializer(_endpoint(selectors.endpoint_get(self.application_id, endpoint_id))).data)

    @extend_schema(
        operation_id="webhook_endpoint_change",
        summary="Change an endpoint, or switch it off and on",
        request=EndpointChange,
        responses=EndpointSerializer,
        examples=[
            OpenApiExample("Switch on", value={"enabled": True}, request_only=True),
            OpenApiExample("On", value=ENDPOINT, response_only=True),
        ],
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        data = parse(EndpointChange, request)
        endpoint = selectors.endpoint_get(self.application_id, endpoint_id)
        changed = services.endpoint_change(
            endpoint=endpoint, url=data.get("url"), event_types=data.get("events"), enabled=data.get("enabled")
        )
        return Response(EndpointSerializer(_endpoint(changed)).data)

    @extend_schema(
        operation_id="webhook_endpoint_delete",
        summary="Delete an endpoint",
        responses={200: EndpointSerializer},
        examples=[OpenApiExample("Gone", value={**ENDPOINT, "enabled": False, "disabled_reason": "deleted"}, response_only=True)],
    )
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        endpoint = selectors.endpoint_get(self.application_id, endpoint_id)
        services.endpoint_delete(endpoint=endpoint, now=clock.now())
        return Response(EndpointSerializer(_endpoint(endpoint)).data)


class SecretView(WebhookView):
    scopes: ClassVar = {"POST": WEBHOOKS_MANAGE}

    @extend_schema(
        operation_id="webhook_secret_rotate",
        summary="A new secret; the old one signs along for a day",
        request=None,
        responses={201: SecretSerializer},
        examples=[OpenApiExample("The new one", value={"secret": "whsec_..."}, response_only=True, status_codes=["201"])],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        secret = services.secret_rotate(endpoint=selectors.endpoint_get(self.application_id, endpoint_id), now=clock.now())
        return Response({"secret": secret}, status=201)


class PingView(WebhookView):
    scopes: ClassVar = {"POST": WEBHOOKS_MANAGE}

    @extend_schema(
        operation_id="webhook_ping",
        summary="Send a message without news, to try it out",
        request=None,
        responses={202: DeliverySerializer},
        examples=[OpenApiExample("In line", value={**DELIVERY, "event_type": "ping"}, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        delivery = services.ping(endpoint=selectors.endpoint_get(self.application_id, endpoint_id), now=clock.now())
        return Response(DeliverySerializer(_delivery(delivery)).data, status=202)


class DeliveriesView(WebhookView):
    scopes: ClassVar = {"GET": WEBHOOKS_MANAGE}

    @extend_schema(
        operation_id="webhook_delivery_list",
        summary="What was sent to an endpoint, newest first, with every try",
        parameters=[PageInput],
        responses=page_of(DeliverySerializer),
        examples=[OpenApiExample("A page", value={"items": [DELIVERY], "next_cursor": None}, response_only=True)],
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        data = parse(PageInput, request, query=True)
        endpoint = selectors.endpoint_get(self.application_id, endpoint_id)
        before = place_unpack(data["cursor"]) if data.get("cursor") else None
        rows = selectors.deliveries_of(endpoint, before=before, limit=data["limit"] + 1)
        return page_answer(
            rows,
            limit=data["limit"],
            body=lambda row: DeliverySerializer(_delivery(row)).data,
            cursor=lambda row: place_pack(row.created_at, row.id),
        )


class ResendView(WebhookView):
    scopes: ClassVar = {"POST": WEBHOOKS_MANAGE}

    @extend_schema(
        operation_id="webhook_delivery_resend",
        summary="Send a message again, whatever became of it",
        request=None,
        responses={202: DeliverySerializer},
        examples=[OpenApiExample("In line", value={**DELIVERY, "state": "waiting"}, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        delivery = services.delivery_resend(delivery=selectors.delivery_get(self.application_id, delivery_id), now=clock.now())
        return Response(DeliverySerializer(_delivery(delivery)).data, status=202)
