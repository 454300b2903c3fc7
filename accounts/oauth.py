"""OAuth for partners: the rules that django-oauth-toolkit asks us for."""

from __future__ import annotations

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes

from accounts.models import PartnerApplication, PartnerConsent
from core.api.scopes import PROFILE_READ, SCOPES


class PartnerScopes(BaseScopes):
    """All of ours, or those a partner is limited to."""

    def get_all_scopes(self) -> dict[str, Any]:
        return dict(SCOPES)

    def get_available_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        wanted = application.scopes.split() if isinstance(application, PartnerApplication) else []
        return [scope for scope in SCOPES if scope in wanted] if wanted else list(SCOPES)

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        return [scope for scope in (PROFILE_READ,) if scope in self.get_available_scopes(application)]


class Validator(OAuth2Validator):
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
        return bool(super().validate_code(client_id, code, client, request, *args, **kwargs)) and bool(request.user.is_active)
