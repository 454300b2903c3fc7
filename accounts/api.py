"""The API about oneself and about whom one can pay."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api_access import PartyView, party_ids_of
from accounts.models import PartnerApplication, Party
from core import crypto
from core.api import parse, quota
from core.api.access import Caller, caller_of
from core.api.scopes import PROFILE_READ, TRANSFERS_WRITE
from core.api.views import ApiView

# Looking up strangers is what a list of addresses is tried with, so it is slower than everything else.
LOOKUPS_PER_MINUTE = 60


class PartySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Party.Kind.choices)
    name = serializers.CharField()
    handle = serializers.CharField(allow_null=True, help_text="Others can pay it as @handle.")
    role = serializers.CharField(allow_null=True, help_text="owner, admin, member or viewer; null for an application itself.")


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField()
    time_zone = serializers.CharField()
    home_currency = serializers.CharField()


class ApplicationSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    person = PersonSerializer(allow_null=True, help_text="null when an application acts for its own party.")
    application = ApplicationSerializer(allow_null=True, help_text="null in a person's own session.")
    scopes = serializers.ListField(child=serializers.CharField())
    parties = PartySerializer(many=True, help_text="Whom this token acts for; the first is the default of `party`.")


ME_EXAMPLE = OpenApiExample(
    "A person's own session",
    value={
        "person": {
            "id": "0199b2c4-8d5e-7000-8000-000000000001",
            "email": "asa@example.com",
            "name": "Åsa Lind",
            "language": "en",
            "time_zone": "Europe/Stockholm",
            "home_currency": "EUR",
        },
        "application": None,
        "scopes": ["profile:read", "wallets:read"],
        "parties": [{"id": "0199b2c4-8d5e-7000-8000-000000000002", "kind": "person", "name": "Åsa Lind", "handle": "asa", "role": "owner"}],
    },
    response_only=True,
)


class MeView(ApiView):
    tag = "You"
    scopes: ClassVar = {"GET": PROFILE_READ}

    @extend_schema(operation_id="me_read", summary="Who this token is, and for whom it acts", responses=MeSerializer, examples=[ME_EXAMPLE])
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        application = PartnerApplication.objects.filter(id=caller.application_id).first() if caller.application_id else None
        body = {"person": caller.person, "application": application, "scopes": sorted(caller.scopes), "parties": _parties(caller)}
        return Response(MeSerializer(body).data)


def _parties(caller: Caller) -> list[dict[str, Any]]:
    ids = party_ids_of(caller)
    crypto.data_keys_warm(set(ids))
    found = {party.id: party for party in Party.objects.filter(id__in=ids)}
    roles = dict(selectors.memberships_of(caller.person).values_list("party_id", "role")) if caller.person else {}
    own = caller.person.party_id if caller.person else None
    ordered = sorted((found[party_id] for party_id in ids), key=lambda party: party.id != own)
    return [
        {"id": party.id, "kind": party.kind, "name": party.name, "handle": party.handle or None, "role": roles.get(party.id)}
        for party in ordered
    ]


class PayeeInput(serializers.Serializer[Any]):
    query = serializers.CharField(max_length=300, help_text="An e-mail address or a handle, with or without @.")


class PayeeSerializer(serializers.Serializer[Any]):
    party_id = serializers.UUIDField()
    display_name = serializers.CharField(help_text="First name and initial of a person; the name of a business.")
    handle = serializers.CharField(allow_null=True)


class PayeesView(PartyView):
    tag = "Transfers"
    scopes: ClassVar = {"GET": TRANSFERS_WRITE}

    @extend_schema(
        operation_id="payee_find",
        summary="Find the one behind an e-mail address or a handle",
        description="Exactly that one, or 404 `payee_unknown`: nothing can be searched. At most 60 calls a minute.",
        parameters=[PayeeInput],
        responses=PayeeSerializer,
        examples=[
            OpenApiExample(
                "Found",
                value={"party_id": "0199b2c4-8d5e-7000-8000-00000000000b", "display_name": "Bo E.", "handle": "bo"},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        usage = quota.spend(f"payees:{self.caller.key}", name="payees", limit=LOOKUPS_PER_MINUTE)
        if not usage.allowed:
            raise Throttled(wait=usage.reset_seconds)
        payee = selectors.payee_find(parse(PayeeInput, request, query=True)["query"], asking=self.party_id)
        return Response(
            PayeeSerializer({"party_id": payee.party_id, "display_name": payee.display_name, "handle": payee.handle or None}).data
        )
