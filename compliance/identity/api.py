"""The API of one's own identity details. A partner may neither give nor read them."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView
from accounts.models import Person
from compliance import limits
from compliance.identity import selectors, services
from compliance.identity.checks import ADDRESS_MAX, Submission
from compliance.identity.models import DocumentKind, IdentityData, IdentityState
from core import clock
from core.api import parse
from core.api.scopes import PROFILE_READ
from core.errors import Forbidden


class OwnSessionRequired(Forbidden):
    """Identity details are between a person and the hub."""

    code = "own_session_required"


class IdentityInput(serializers.Serializer[Any]):
    legal_name = serializers.CharField(max_length=100)
    birth_date = serializers.DateField()
    street = serializers.CharField(max_length=ADDRESS_MAX)
    postcode = serializers.CharField(max_length=20, allow_blank=True, required=False, default="")
    city = serializers.CharField(max_length=ADDRESS_MAX)
    country = serializers.CharField(max_length=2, help_text="ISO 3166-1, two letters: where the person lives.")
    document_kind = serializers.ChoiceField(choices=DocumentKind.choices)
    document_country = serializers.CharField(max_length=2, help_text="The country that issued the document.")
    document_number = serializers.CharField(max_length=40)


class IdentitySerializer(serializers.Serializer[Any]):
    level = serializers.IntegerField(help_text="3: e-mail address only, 2: identity data checked, 1: verified by staff.")
    state = serializers.ChoiceField(choices=[("none", "Nothing given"), *IdentityState.choices])
    submitted_at = serializers.DateTimeField(allow_null=True)
    document_kind = serializers.CharField(allow_null=True)
    document_hint = serializers.CharField(allow_null=True, help_text="The end of the number; the rest is not given out.")
    format_known = serializers.BooleanField(allow_null=True, help_text="Whether there was a published format to check the number against.")
    reason = serializers.CharField(allow_null=True, help_text="Why staff declined.")


CHECKED = {
    "level": 2,
    "state": "checked",
    "submitted_at": "2026-03-11T12:00:00.000000Z",
    "document_kind": "personal_number",
    "document_hint": "•••• 805",
    "format_known": True,
    "reason": None,
}


class IdentityView(PartyView):
    tag = "Identity"
    ways_in = ("sessionToken",)
    scopes: ClassVar = {"GET": PROFILE_READ, "POST": PROFILE_READ}
    with_party = False

    @extend_schema(
        operation_id="identity_read",
        summary="What became of your identity details",
        description="Only in a person's own session.",
        responses=IdentitySerializer,
        examples=[OpenApiExample("Checked", value=CHECKED, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        return self._answer(self._own())

    @extend_schema(
        operation_id="identity_submit",
        summary="Give your identity details",
        description=(
            "Checked at once: 201 and level 2, or 422 with every problem in `problems`. Newer details replace older ones. "
            "Only in a person's own session, at most five times a day."
        ),
        request=IdentityInput,
        responses={201: IdentitySerializer},
        examples=[
            OpenApiExample(
                "A Swedish personal number",
                value={
                    "legal_name": "Åsa Lind",
                    "birth_date": "1985-07-09",
                    "street": "Storgatan 1",
                    "postcode": "111 22",
                    "city": "Stockholm",
                    "country": "SE",
                    "document_kind": "personal_number",
                    "document_country": "SE",
                    "document_number": "850709-9805",
                },
                request_only=True,
            ),
            OpenApiExample("Checked", value=CHECKED, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        person = self._own()
        services.identity_submit(by=person, submission=Submission(**parse(IdentityInput, request)), now=clock.now())
        return self._answer(person, status=201)

    def _own(self) -> Person:
        if not self.is_present:
            raise OwnSessionRequired
        return self.person

    def _answer(self, person: Person, status: int = 200) -> Response:
        newest: IdentityData | None = selectors.identity_newest(person.party_id)
        body = {
            "level": int(limits.level_for(person.party_id, clock.now())),
            "state": newest.state if newest else "none",
            "submitted_at": newest.submitted_at if newest else None,
            "document_kind": newest.document_kind if newest else None,
            "document_hint": newest.number_hint if newest else None,
            "format_known": newest.format_known if newest else None,
            "reason": (newest.reason or None) if newest else None,
        }
        return Response(IdentitySerializer(body).data, status=status)
