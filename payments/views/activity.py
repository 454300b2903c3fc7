"""Pages of what has happened: the list, and one payment with what can be done about it."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import person_of
from core import clock
from core.api.paging import CursorInvalid
from payments import selectors, services
from payments.forms import ActivityFilterForm

PAGE_SIZE = 30


@require_safe
@login_required
def activity(request: HttpRequest) -> HttpResponse:
    form = ActivityFilterForm(request.GET)
    listed = partial(selectors.payments_for, person_of(request).party_id, filters=form.filters, limit=PAGE_SIZE)
    try:
        page = listed(cursor=request.GET.get("after", ""))
    except CursorInvalid:
        page = listed()
    return render(request, "payments/activity.html", {"form": form, "page": page, "filtered": form.filters != form.unfiltered})


@require_safe
@login_required
def payment(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    view = selectors.payment_get(person_of(request).party_id, payment_id)
    return render(request, "payments/payment.html", {"view": view, "approved": bool(request.GET.get("approval"))})


@require_safe
@login_required
def payment_status(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """The part of the page that is alive, asked for every two seconds: nothing (204) while the state is the one already shown."""
    view = selectors.payment_get(person_of(request).party_id, payment_id)
    if request.GET.get("seen") == view.payment.state:
        return HttpResponse(status=204)
    return render(request, "payments/payment_live.html", {"view": view, "returned": "back" in request.GET})


@require_POST
@login_required
def payment_go_on(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """The person has confirmed on the approval page; this carries the payment out."""
    person = person_of(request)
    payout = selectors.payment_get(person.party_id, payment_id).is_payout
    (services.payout_approve if payout else services.transfer_approve)(by=person, payment_id=payment_id, now=clock.now())
    return redirect("payment", payment_id)


@require_POST
@login_required
def payment_ask_again(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    person = person_of(request)
    payout = selectors.payment_get(person.party_id, payment_id).is_payout
    ask = services.payout_approval_request if payout else services.transfer_approval_request
    movement = ask(by=person, payment_id=payment_id, now=clock.now())
    return redirect("approve", movement.approval_id) if movement.approval_id else redirect("payment", payment_id)


@require_POST
@login_required
def payment_cancel(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    person = person_of(request)
    view = selectors.payment_get(person.party_id, payment_id)
    if view.is_top_up:
        services.top_up_cancel(by=person, payment_id=payment_id, now=clock.now())
    else:
        cancel = services.payout_cancel if view.is_payout else services.transfer_cancel
        cancel(by=person, payment_id=payment_id, now=clock.now())
    return redirect("payment", payment_id)
