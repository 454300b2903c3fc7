"""Pages of paying: the pay hub, and sending to somebody with an account here in three steps."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import selectors as accounts
from accounts.requests import person_of
from core import clock
from core.errors import HubError
from core.forms import add_refusal
from core.money import Money
from payments import selectors, services
from payments.drafts import SENDING, SendDraft
from payments.forms import PayeeForm, SendAmountForm
from payments.views.amounts import amount_form, available


@require_safe
@login_required
def pay(request: HttpRequest) -> HttpResponse:
    return render(request, "payments/pay.html", {"recents": selectors.recent_payees(person_of(request).party_id)})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def send(request: HttpRequest, draft_id: UUID | None = None) -> HttpResponse:
    party_id = person_of(request).party_id
    draft = SENDING.get(request.session, draft_id) if draft_id else None
    form = PayeeForm(request.POST or None, initial={"payee": draft.payee if draft else ""})
    if form.is_valid():
        payee = form.cleaned_data["payee"]
        try:
            accounts.payee_find(payee, asking=party_id)
        except HubError as error:
            add_refusal(form, error)
        else:
            draft = draft or SendDraft()
            draft.payee = payee
            SENDING.save(request.session, draft)
            return redirect("send_amount", draft.id)
    context = {"form": form, "recents": selectors.recent_payees(party_id)}
    return render(request, "payments/send_payee.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def send_amount(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    draft = SENDING.get(request.session, draft_id)
    if draft is None:
        return redirect("send")
    form = amount_form(request, draft, request.POST or None)
    if form.is_valid():
        draft.amount, draft.wallet, draft.note = form.data["amount"], form.cleaned_data["wallet"], form.cleaned_data["note"]
        SENDING.save(request.session, draft)
        try:
            _preview(request, draft, form.cleaned_data["money"])
        except HubError as error:
            add_refusal(form, error)
        else:
            return redirect("send_check", draft.id)
    return _amount_page(request, draft, form)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def send_check(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """Everything once more; the POST sends. Sent twice, it is one payment: the draft's key goes with it."""
    draft = SENDING.get(request.session, draft_id)
    if draft is None:
        return redirect("send")
    form = amount_form(request, draft, draft.typed)
    if not form.is_valid():
        return redirect("send_amount", draft.id)
    try:
        if request.method == "POST":
            return _send(request, draft, form.cleaned_data["money"])
        preview = _preview(request, draft, form.cleaned_data["money"])
    except HubError as error:
        # The balance or a limit has changed since the amount was typed: back to where it can be put right.
        add_refusal(form, error)
        return _amount_page(request, draft, form)
    return render(request, "payments/send_check.html", {"draft": draft, "preview": preview})


def _send(request: HttpRequest, draft: SendDraft, amount: Money) -> HttpResponse:
    person = person_of(request)
    movement = services.transfer_send(
        by=person,
        party_id=person.party_id,
        source_wallet_id=UUID(draft.wallet),
        payee=draft.payee,
        amount=amount,
        note=draft.note,
        idempotency_key=f"page:{draft.key}",
        now=clock.now(),
    )
    if movement.outcome is services.Outcome.REQUIRES_APPROVAL and movement.approval_id:
        return redirect("approve", movement.approval_id)
    return redirect("payment", movement.payment.id)


def _preview(request: HttpRequest, draft: SendDraft, amount: Money) -> services.Preview:
    person = person_of(request)
    return services.transfer_preview(
        by=person,
        party_id=person.party_id,
        source_wallet_id=UUID(draft.wallet),
        payee=draft.payee,
        amount=amount,
        note=draft.note,
        now=clock.now(),
    )


def _amount_page(request: HttpRequest, draft: SendDraft, form: SendAmountForm) -> HttpResponse:
    try:
        payee = accounts.payee_find(draft.payee, asking=person_of(request).party_id)
    except HubError:
        return redirect("send_change", draft.id)
    context = {"form": form, "draft": draft, "payee": payee, "available": available(request)}
    return render(request, "payments/send_amount.html", context, status=422 if form.errors else 200)
