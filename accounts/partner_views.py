"""The page where a person sees which partners they gave access to, and takes it back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors, services
from accounts.requests import person_of
from core import clock
from core.api.scopes import SCOPES


@require_safe
@login_required
def partners(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    rows = [
        {
            "consent": consent,
            "is_own": consent.party_id == person.party_id,
            "allowed": [SCOPES[scope] for scope in consent.scopes.split() if scope in SCOPES],
        }
        for consent in selectors.partner_consents_for(person)
    ]
    return render(request, "accounts/partners.html", {"rows": rows})


@require_POST
@login_required
def partner_end(request: HttpRequest, consent_id: UUID) -> HttpResponse:
    consent = services.consent_revoke(person=person_of(request), consent_id=consent_id, now=clock.now())
    messages.success(request, _("%(name)s has no access any more.") % {"name": consent.application})
    return redirect("partners")
