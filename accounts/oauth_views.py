"""OAuth's addresses: the page where a person agrees, and the ones that machines call."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View
from oauth2_provider import views as toolkit
from oauth2_provider.forms import AllowForm
from oauth2_provider.models import get_access_token_model
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import Request as OauthlibRequest

from accounts import selectors
from accounts.models import Membership, PartnerApplication
from accounts.services import consent_grant
from core import clock
from core.api import quota
from core.http import client_address


class ConsentForm(AllowForm):
    """What the toolkit carries through, and for which party."""

    party = forms.ChoiceField(label=_("For"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, person: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = selectors.memberships_of(person).exclude(role=Membership.Role.VIEWER).select_related("party")
        parties = sorted((membership.party for membership in mine), key=lambda party: (party.id != person.party_id, party.created_at))
        field = self.fields["party"]
        field.choices = [(str(party.id), party.name) for party in parties if party.is_open]
        field.initial = str(person.party_id)
        self.single = len(field.choices) == 1


class ConsentView(toolkit.AuthorizationView):
    """
    Asked every time: a partner cannot get a new token behind a person's back (`approval_prompt=auto` is ignored).
    """

    form_class = ConsentForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "person": self.request.user}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "approval_prompt" in request.GET:
            asked = request.GET.copy()
            asked.pop("approval_prompt")
            request.GET = asked  # type: ignore[assignment]
        response: HttpResponseBase = super().get(request, *args, **kwargs)
        self._let_the_form_leave(response)
        return response

    def form_valid(self, form: ConsentForm) -> HttpResponseBase:
        data = form.cleaned_data
        application = PartnerApplication.objects.filter(client_id=data["client_id"]).first()
        if application is None:
            return self._refused()
        with transaction.atomic():
            response: HttpResponseBase = super().form_valid(form)
            if data["allow"] and "code" in parse_qs(urlsplit(response.headers.get("Location", "")).query):
                consent_grant(
                    person=self.request.user,
                    application=application,
                    party_id=UUID(data["party"]),
                    scopes=data["scope"].split(),
                    now=clock.now(),
                )
        return response

    def form_invalid(self, form: ConsentForm) -> HttpResponseBase:
        return self._refused()

    def _refused(self) -> HttpResponse:
        return render(self.request, self.template_name, {"error": {"error": "invalid_request"}}, status=400)

    @staticmethod
    def _let_the_form_leave(response: HttpResponseBase) -> None:
        """form-action also covers where the POST is redirected to: name the partner's origin, for this answer only."""
        uri = (getattr(response, "context_data", None) or {}).get("redirect_uri")
        if uri:
            parts = urlsplit(uri)
            response._csp_update = {"form-action": [f"{parts.scheme}://{parts.netloc}"]}  # type: ignore[attr-defined]


class MachineMixin:
    """Called by programs, without cookies. Those that guess secrets are slowed down by address."""

    @method_decorator(csrf_exempt)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        usage = quota.spend(f"oauth:{client_address(request)}", name="anonymous", limit=settings.HUB_API_QUOTA_ANONYMOUS)
        if usage.allowed:
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc, no-any-return]
        headers = {**usage.headers(), "Retry-After": str(usage.reset_seconds)}
        return JsonResponse({"error": "slow_down", "error_description": "Too many calls."}, status=429, headers=headers)


class TokenView(MachineMixin, toolkit.TokenView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # The device flow is not offered; the toolkit would look its code up first.
        if request.POST.get("grant_type") not in ("authorization_code", "client_credentials", "refresh_token"):
            return JsonResponse({"error": "unsupported_grant_type"}, status=400, headers={"Cache-Control": "no-store"})
        if "\x00" in "".join(map(str, request.POST.values())):
            return JsonResponse({"error": "invalid_request"}, status=400, headers={"Cache-Control": "no-store"})
        return super().post(request, *args, **kwargs)  # type: ignore[no-any-return]


class RevokeTokenView(MachineMixin, toolkit.RevokeTokenView):
    pass


class IntrospectTokenView(MachineMixin, OAuthLibMixin, View):
    """RFC 7662, for a partner's own tokens only; those of others are as unknown as none. Says nothing about the person."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> JsonResponse:
        application = self._client(request)
        if application is None:
            return JsonResponse({"error": "invalid_client"}, status=401, headers={"WWW-Authenticate": "Basic"})
        checksum = _checksum(request.POST.get("token", ""))
        token = get_access_token_model().objects.filter(token_checksum=checksum, application=application).first()
        if token is None or not token.is_valid():
            return JsonResponse({"active": False})
        return JsonResponse(
            {
                "active": True,
                "scope": token.scope,
                "client_id": application.client_id,
                "exp": int(token.expires.timestamp()),
                "token_type": "Bearer",
            }
        )

    def _client(self, request: HttpRequest) -> PartnerApplication | None:
        core = self.get_oauthlib_core()
        asked = OauthlibRequest(*core._extract_params(request))
        return asked.client if core.server.request_validator.authenticate_client(asked) else None


def _checksum(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
