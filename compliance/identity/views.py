"""The page of one's identity details."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.requests import person_of
from compliance.identity import selectors, services
from compliance.identity.countries import country_name
from compliance.identity.forms import IdentityForm
from compliance.identity.models import CURRENT, IdentityData, IdentityState
from compliance.identity.services import IdentityRefused, submission_of
from core import clock
from core.errors import HubError
from core.forms import add_refusal


@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def identity(request: HttpRequest) -> HttpResponse:
    """What is held, or the form: at first, after a decline, and to change what is held."""
    person = person_of(request)
    newest = selectors.identity_newest(person.party_id)
    current = newest if newest is not None and newest.state in CURRENT else None
    if request.method != "POST" and current is not None and "change" not in request.GET:
        context = {
            "identity": current,
            "said": submission_of(current),
            "country": country_name(current.country, get_language() or "en"),
            "issued_by": country_name(current.document_country, get_language() or "en"),
        }
        return render(request, "compliance/identity.html", context)
    form = IdentityForm(request.POST if request.method == "POST" else None, initial=_initial(person.name, current))
    if form.is_valid():
        try:
            services.identity_submit(by=person, submission=form.submission, now=clock.now())
        except IdentityRefused as error:
            for problem in error.problems:
                add_refusal(form, problem)
        except HubError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Your details are checked and kept safe."))
            return redirect("identity")
    declined = newest if newest is not None and newest.state == IdentityState.DECLINED else None
    context = {"form": form, "current": current, "declined": declined}
    return render(request, "compliance/identity_form.html", context, status=422 if form.errors else 200)


def _initial(name: str, current: IdentityData | None) -> dict[str, object]:
    return IdentityForm.initial_of(submission_of(current)) if current is not None else {"legal_name": name}
