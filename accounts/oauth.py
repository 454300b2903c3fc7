"""OAuth for partners: the rules that django-oauth-toolkit asks us for."""

from __future__ import annotations

import hashlib
from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes

from accounts.models import PartnerApplication, PartnerConsent
from core.api.scopes import PROFILE_READ, PROGRAMS_ONLY, SCOPES


class PartnerScopes(BaseScopes):
    """All of ours, or those a partner is limited to."""

    def get_all_scopes(self) -> dict[str, Any]:
        return dict(SCOPES)

    def get_available_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        wanted = application.scopes.split() if isinstance(application, PartnerApplication) else []
        found = [scope for scope in SCOPES if scope in wanted] if wanted else list(SCOPES)
        # A response type means that a person is asked: they cannot give what a program may only do for itself.
        asked = bool(getattr(request, "response_type", None))
        return [scope for scope in found if scope not in PROGRAMS_ONLY] if asked else found

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        return [scope for scope in (PROFILE_READ,) if scope in self.get_available_scopes(application)]


def _stored(code: str) -> str:
    """The toolkit hashes tokens but keeps authorization codes as they are; here their hash stands in the table."""
    return hashlib.sha256(code.encode()).hexdigest()


class CodesHashed(OAuth2Validator):
    """Every look-up of a code goes through its hash."""

    def _create_authorization_code(self, request: Any, code: dict[str, str], expires: Any = None) -> Any:
        return super()._create_authorization_code(request, {**code, "code": _stored(code["code"])}, expires)

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(super().validate_code(client_id, _stored(code), client, request, *args, **kwargs))

    def confirm_redirect_uri(self, client_id: str, code: str, redirect_uri: str, client: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(super().confirm_redirect_uri(client_id, _stored(code), redirect_uri, client, *args, **kwargs))

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        super().invalidate_authorization_code(client_id, _stored(code), request, *args, **kwargs)

    def get_code_challenge(self, code: str, request: Any) -> Any:
        return super().get_code_challenge(_stored(code), request)

    def get_code_challenge_method(self, code: str, request: Any) -> Any:
        return super().get_code_challenge_method(_stored(code), request)

    def get_authorization_code_scopes(self, client_id: str, code: str, redirect_uri: str, request: Any) -> Any:
        return super().get_authorization_code_scopes(client_id, _stored(code), redirect_uri, request)

    def _check_and_set_request_resource(self, request: Any) -> None:
        # Reads the code off the request, to carry over what the grant was restricted to.
        given = getattr(request, "code", None)
        if given:
            request.code = _stored(given)
        try:
            super()._check_and_set_request_resource(request)
        finally:
            if given:
                request.code = given


class Validator(CodesHashed):
    """Nobody who may not sign in is acted for, and no consent that was taken back is refreshed."""

    def validate_bearer_token(self, token: str, scopes: list[str], request: Any) -> bool:
        return bool(super().validate_bearer_token(token, scopes, request)) and (request.user is None or request.user.is_active)

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        if not super().validate_refresh_token(refresh_token, client, request, *args, **kwargs):
            return False
        person = request.user
        consented = PartnerConsent.objects.filter(application=client, person=person, revoked_at__isnull=True)
        return bool(person and person.is_active and consented.exists())

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        return super().validate_code(client_id, code, client, request, *args, **kwargs) and bool(request.user.is_active)
