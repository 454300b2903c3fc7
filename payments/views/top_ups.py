"""Pages of putting money in by card."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import person_of
from core import clock
from core.errors import HubError
from core.forms import add_refusal
from payments import selectors, services
from payments.forms import TopUpForm
from payments.views.amounts import currencies_of


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def top_up(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    form = TopUpForm(
        request.POST or None,
        currencies=currencies_of(request),
        initial={"wallet": request.GET.get("wallet", "")} if request.GET.get("wallet") else None,
    )
    if form.is_valid():
        try:
            started = services.top_up_start(
                by=person,
                wallet_id=UUID(form.cleaned_data["wallet"]),
                amount=form.cleaned_data["money"],
                idempotency_key=f"page:{form.cleaned_data['key']}",
                now=clock.now(),
            )
        except HubError as error:
            add_refusal(form, error)
        else:
            return redirect("top_up_status", started.payment.id)
    return render(request, "payments/top_up.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@login_required
def top_up_status(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """From here a link leads to the provider's page, and the provider leads back here."""
    party_id, returned = person_of(request).party_id, "back" in request.GET
    view = selectors.payment_get(party_id, payment_id)
    if returned and view.is_top_up and view.under_way:
        # They have just paid there: asking is quicker than waiting for the provider's message.
        services.top_up_refresh(payment_id=payment_id, now=clock.now())
        view = selectors.payment_get(party_id, payment_id)
    return render(request, "payments/top_up_status.html", {"view": view, "returned": returned})
