"""Sending to a bank account in three steps: which account, how much, check."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.requests import person_of
from core import clock
from core.errors import HubError
from core.forms import add_refusal
from core.money import Money
from payments import selectors, services
from payments.drafts import BANK, BankDraft
from payments.forms import BankPayeeForm, SendAmountForm
from payments.models import iban_grouped
from payments.services import PayoutPreview
from payments.views.amounts import amount_form, available


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bank(request: HttpRequest, draft_id: UUID | None = None) -> HttpResponse:
    party_id = person_of(request).party_id
    draft = BANK.get(request.session, draft_id) if draft_id else None
    if "account" in request.POST:
        form = BankPayeeForm(_paid_before(party_id, request.POST["account"]))
    else:
        form = BankPayeeForm(request.POST or None, initial={"iban": draft.iban, "holder": draft.holder} if draft else None)
    if form.is_valid():
        draft = draft or BankDraft()
        draft.iban, draft.holder = form.cleaned_data["iban"], form.cleaned_data["holder"]
        BANK.save(request.session, draft)
        return redirect("bank_amount", draft.id)
    context = {"form": form, "recents": selectors.recent_accounts(party_id)}
    return render(request, "payments/bank_payee.html", context, status=422 if form.errors else 200)


def _paid_before(party_id: UUID, account_id: str) -> dict[str, str]:
    """:raises NotFound: no account of theirs."""
    try:
        found = selectors.bank_account_of(party_id, UUID(account_id))
    except ValueError:
        return {}
    return {"iban": found.iban, "holder": found.name}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bank_amount(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    draft = BANK.get(request.session, draft_id)
    if draft is None:
        return redirect("bank")
    form = _amount_form(request, draft, request.POST or None)
    if form.is_valid():
        draft.amount, draft.wallet, draft.note = form.data["amount"], form.cleaned_data["wallet"], form.cleaned_data["note"]
        BANK.save(request.session, draft)
        try:
            _preview(request, draft, form.cleaned_data["money"])
        except HubError as error:
            add_refusal(form, error)
        else:
            return redirect("bank_check", draft.id)
    return _amount_page(request, draft, form)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bank_check(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """Everything once more; the POST sends. Sent twice, it is one payout: the draft's key goes with it."""
    draft = BANK.get(request.session, draft_id)
    if draft is None:
        return redirect("bank")
    form = _amount_form(request, draft, draft.typed)
    if not form.is_valid():
        return redirect("bank_amount", draft.id)
    try:
        if request.method == "POST":
            return _send(request, draft, form.cleaned_data["money"])
        preview = _preview(request, draft, form.cleaned_data["money"])
    except HubError as error:
        # The balance or a limit has changed since the amount was typed: back to where it can be put right.
        add_refusal(form, error)
        return _amount_page(request, draft, form)
    return render(request, "payments/bank_check.html", {"draft": draft, "preview": preview, "iban": iban_grouped(preview.iban)})


def _send(request: HttpRequest, draft: BankDraft, amount: Money) -> HttpResponse:
    person = person_of(request)
    movement = services.payout_send(
        by=person,
        party_id=person.party_id,
        source_wallet_id=UUID(draft.wallet),
        iban=draft.iban,
        name=draft.holder,
        amount=amount,
        note=draft.note,
        idempotency_key=f"page:{draft.key}",
        now=clock.now(),
    )
    if movement.outcome is services.Outcome.REQUIRES_APPROVAL and movement.approval_id:
        return redirect("approve", movement.approval_id)
    return redirect("payment", movement.payment.id)


def _preview(request: HttpRequest, draft: BankDraft, amount: Money) -> PayoutPreview:
    person = person_of(request)
    return services.payout_preview(
        by=person,
        party_id=person.party_id,
        source_wallet_id=UUID(draft.wallet),
        iban=draft.iban,
        name=draft.holder,
        amount=amount,
        note=draft.note,
        now=clock.now(),
    )


def _amount_form(request: HttpRequest, draft: BankDraft, data: dict[str, str] | None) -> SendAmountForm:
    return amount_form(request, draft, data, note_help=_("It stands on their bank statement."))


def _amount_page(request: HttpRequest, draft: BankDraft, form: SendAmountForm) -> HttpResponse:
    context = {"form": form, "draft": draft, "iban": iban_grouped(draft.iban), "available": available(request)}
    return render(request, "payments/bank_amount.html", context, status=422 if form.errors else 200)
