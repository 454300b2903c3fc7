"""The two kinds of token that the API knows: a partner's OAuth token and the session token of a person's own app."""

from __future__ import annotations

from typing import Any

from allauth.headless.internal.sessionkit import authenticate_by_x_session_token
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_lazy as _
from oauth2_provider.oauth2_backends import get_oauthlib_core
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import Person
from core.api.access import Caller
from core.api.scopes import PEOPLES


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer ...`; only the header counts, never the body or the address."""

    def authenticate(self, request: Request) -> tuple[Any, Caller] | None:
        if not request.headers.get("Authorization", "").lower().startswith("bearer"):
            return None
        valid, checked = get_oauthlib_core().verify_request(request, scopes=[])
        if not valid:
            raise AuthenticationFailed(_("The token is not valid any more."), code="token_invalid")
        application, person = checked.access_token.application, checked.access_token.user
        caller = Caller(
            scopes=frozenset(checked.access_token.scope.split()),
            person=person,
            application_id=application.id,
            own_party_id=None if person else application.party_id,
        )
        return person or AnonymousUser(), caller

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class SessionTokenAuthentication(BaseAuthentication):
    """`X-Session-Token: ...` as given by /api/v1/auth/; allows whatever the person may do."""

    def authenticate(self, request: Request) -> tuple[Person, Caller] | None:
        token = request.headers.get("X-Session-Token")
        if not token:
            return None
        found = authenticate_by_x_session_token(token)
        if found is None or not found[0].is_active:
            raise AuthenticationFailed(_("The session is over. Sign in again."), code="session_invalid")
        person: Person = found[0]
        return person, Caller(scopes=PEOPLES, person=person)
