"""Pages of paying: the pay hub, sending in three steps, topping up, activity and one payment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors as accounts
from accounts.requests import person_of
from core import clock
from core.errors import HubError
from core.forms import add_refusal
from core.money import Money
from payments import presenting, services
from payments.drafts import Draft, draft_get, draft_save
from payments.forms import ActivityFilterForm, PayeeForm, SendAmountForm, TopUpForm
from wallets import selectors as wallets

PAGE_SIZE = 30


def _balances(request: HttpRequest) -> dict[str, Money]:
    """What is available in each open wallet, by wallet id."""
    found = wallets.balances_of(wallets.wallets_for(person_of(request).party_id))
    return {str(wallet_id): balance.available for wallet_id, balance in found.items()}


@require_safe
@login_required
def pay(request: HttpRequest) -> HttpResponse:
    return render(request, "payments/pay.html", {"recents": presenting.recent_payees(person_of(request).party_id)})


# --- sending: whom, how much, check --------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def send(request: HttpRequest, draft_id: UUID | None = None) -> HttpResponse:
    party_id = person_of(request).party_id
    draft = draft_get(request.session, draft_id) if draft_id else None
    form = PayeeForm(request.POST or None, initial={"payee": draft.payee if draft else ""})
    if form.is_valid():
        payee = form.cleaned_data["payee"]
        try:
            accounts.payee_find(payee, asking=party_id)
        except HubError as error:
            add_refusal(form, error)
        else:
            draft = draft_save(request.session, draft.change(payee=payee) if draft else Draft(payee=payee))
            return redirect("send_amount", draft.id)
    context = {"form": form, "recents": presenting.recent_payees(party_id)}
    return render(request, "payments/send_payee.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def send_amount(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    draft = draft_get(request.session, draft_id)
    if draft is None:
        return redirect("send")
    form = _amount_form(request, draft, data=request.POST or None)
    if form.is_valid():
        draft_save(
            request.session, draft.change(amount=form.data["amount"], wallet=form.cleaned_data["wallet"], note=form.cleaned_data["note"])
        )
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
    draft = draft_get(request.session, draft_id)
    if draft is None:
        return redirect("send")
    form = _amount_form(request, draft, data={"amount": draft.amount, "wallet": draft.wallet, "note": draft.note})
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


def _send(request: HttpRequest, draft: Draft, amount: Money) -> HttpResponse:
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


def _preview(request: HttpRequest, draft: Draft, amount: Money) -> services.Preview:
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


def _amount_form(request: HttpRequest, draft: Draft, data: Any) -> SendAmountForm:
    currencies = {str(wallet.id): wallet.currency for wallet in wallets.wallets_for(person_of(request).party_id)}
    initial = {"amount": draft.amount, "note": draft.note}
    return SendAmountForm(data, initial=initial | ({"wallet": draft.wallet} if draft.wallet else {}), currencies=currencies)


def _amount_page(request: HttpRequest, draft: Draft, form: SendAmountForm) -> HttpResponse:
    try:
        payee = accounts.payee_find(draft.payee, asking=person_of(request).party_id)
    except HubError:
        return redirect("send_change", draft.id)
    context = {"form": form, "draft": draft, "payee": payee, "available": _balances(request).values()}
    return render(request, "payments/send_amount.html", context, status=422 if form.errors else 200)


# --- topping up ----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def top_up(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    currencies = {str(wallet.id): wallet.currency for wallet in wallets.wallets_for(person.party_id)}
    form = TopUpForm(
        request.POST or None,
        currencies=currencies,
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
    view = presenting.payment_view(party_id, payment_id)
    if returned and view.is_top_up and view.under_way:
        # They have just paid there: asking is quicker than waiting for the provider's message.
        services.top_up_refresh(payment_id=payment_id, now=clock.now())
        view = presenting.payment_view(party_id, payment_id)
    return render(request, "payments/top_up_status.html", {"view": view, "returned": returned})


# --- activity ------------------------------------------------------------------------------------------------------------


@require_safe
@login_required
def activity(request: HttpRequest) -> HttpResponse:
    form = ActivityFilterForm(request.GET)
    page = presenting.activity_page(person_of(request).party_id, cursor=request.GET.get("after", ""), limit=PAGE_SIZE, **form.wanted)
    return render(request, "payments/activity.html", {"form": form, "page": page, "filtered": bool(form.wanted)})


@require_safe
@login_required
def payment(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    view = presenting.payment_view(person_of(request).party_id, payment_id)
    return render(request, "payments/payment.html", {"view": view, "approved": bool(request.GET.get("approval"))})


@require_safe
@login_required
def payment_status(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """The part of the page that is alive, asked for every two seconds: nothing (204) while the state is the one already shown."""
    view = presenting.payment_view(person_of(request).party_id, payment_id)
    if request.GET.get("seen") == view.payment.state:
        return HttpResponse(status=204)
    return render(request, "payments/payment_live.html", {"view": view, "returned": "back" in request.GET})


@require_POST
@login_required
def payment_go_on(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """The person has confirmed on the approval page; this carries the payment out."""
    person = person_of(request)
    payout = presenting.payment_view(person.party_id, payment_id).is_payout
    (services.payout_approve if payout else services.transfer_approve)(by=person, payment_id=payment_id, now=clock.now())
    return redirect("payment", payment_id)


@require_POST
@login_required
def payment_ask_again(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    person = person_of(request)
    payout = presenting.payment_view(person.party_id, payment_id).is_payout
    ask = services.payout_approval_request if payout else services.transfer_approval_request
    movement = ask(by=person, payment_id=payment_id, now=clock.now())
    return redirect("approve", movement.approval_id) if movement.approval_id else redirect("payment", payment_id)


@require_POST
@login_required
def payment_cancel(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    person = person_of(request)
    view = presenting.payment_view(person.party_id, payment_id)
    if view.is_top_up:
        services.top_up_cancel(by=person, payment_id=payment_id, now=clock.now())
    else:
        cancel = services.payout_cancel if view.is_payout else services.transfer_cancel
        cancel(by=person, payment_id=payment_id, now=clock.now())
    return redirect("payment", payment_id)
