"""Pages of bills: the list with what is coming, a new bill in three steps, one bill and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors as accounts
from accounts.models import Approval
from accounts.requests import person_of
from core import clock
from core.api.paging import CursorInvalid
from core.errors import HubError
from core.forms import add_refusal
from payments.bills import selectors, services, words
from payments.bills.drafts import BILLS, BillDraft
from payments.bills.forms import NextAmountForm, TermsForm, initial_of, to_of
from payments.bills.models import BillState
from payments.bills.selectors import BillView, Page, Row
from payments.forms import BankPayeeForm, PayeeForm
from wallets import selectors as wallets

CALENDAR_DAYS = 62


def _today(request: HttpRequest) -> date:
    return clock.now().astimezone(ZoneInfo(person_of(request).time_zone)).date()


@require_safe
@login_required
def bills(request: HttpRequest) -> HttpResponse:
    party_id, today = person_of(request).party_id, _today(request)
    coming = selectors.bills_coming(party_id, today, today + timedelta(days=CALENDAR_DAYS))
    mine = _page(request, "after", partial(selectors.bills_for, party_id))
    context = {
        "mine": mine,
        "views": [(view, words.rhythm_of(view.bill)) for view in mine.rows],
        "ended": _page(request, "ended_after", partial(selectors.bills_for, party_id, ended=True)),
        "asked": _page(request, "asked_after", partial(selectors.bills_to, party_id)),
        "months": [(month, list(rows)) for month, rows in groupby(coming, key=lambda one: one.on.replace(day=1))],
    }
    return render(request, "payments/bills.html", context)


def _page(request: HttpRequest, name: str, listed: Callable[..., Page[Row]]) -> Page[Row]:
    """One of the page's lists from where the address says; nonsense there starts from the top."""
    try:
        return listed(cursor=request.GET.get(name, ""))
    except CursorInvalid:
        return listed()


# --- a new bill: whom, how much and when, check -------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bill_new(request: HttpRequest, draft_id: UUID | None = None) -> HttpResponse:
    draft = BILLS.get(request.session, draft_id) if draft_id else None
    to_bank = "iban" in request.POST
    person = PayeeForm(request.POST if request.method == "POST" and not to_bank else None, initial=_initial(draft, "payee"))
    bank = BankPayeeForm(request.POST if to_bank else None, initial=_initial(draft, "iban", "holder"))
    form = bank if to_bank else person
    if form.is_valid():
        try:
            found = _payee_checked(request, form.cleaned_data)
        except HubError as error:
            add_refusal(form, error)
        else:
            draft = draft or BillDraft()
            draft.payee, draft.iban, draft.holder = found
            BILLS.save(request.session, draft)
            return redirect("bill_terms", draft.id)
    context = {"person": person, "bank": bank, "failed": form if form.errors else None}
    return render(request, "payments/bill_payee.html", context, status=422 if form.errors else 200)


def _initial(draft: BillDraft | None, *names: str) -> dict[str, str]:
    return {name: getattr(draft, name) for name in names} if draft else {}


def _payee_checked(request: HttpRequest, data: dict[str, str]) -> tuple[str, str, str]:
    if "payee" in data:
        accounts.payee_find(data["payee"], asking=person_of(request).party_id)
        return data["payee"], "", ""
    return "", data["iban"], data["holder"]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bill_terms(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """How much and when, of a new bill or of one that is changed."""
    draft = BILLS.get(request.session, draft_id)
    if draft is None:
        return redirect("bill_new")
    form = _terms_form(request, draft, request.POST if request.method == "POST" else draft.terms or None)
    if request.method == "POST" and form.is_valid():
        draft.terms = {name: str(form.data.get(name, "")) for name in form.fields}
        BILLS.save(request.session, draft)
        try:
            _preview(request, draft, form)
        except HubError as error:
            add_refusal(form, error)
        else:
            return redirect("bill_check", draft.id)
    return _terms_page(request, draft, form)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bill_check(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """Everything once more; the POST agrees. Sent twice it is one bill: the draft's key goes with it."""
    draft = BILLS.get(request.session, draft_id)
    if draft is None:
        return redirect("bill_new")
    form = _terms_form(request, draft, draft.terms)
    if not form.is_valid():
        return redirect("bill_terms", draft.id)
    try:
        if request.method == "POST":
            return _agree(request, draft, form)
        preview = _preview(request, draft, form)
    except HubError as error:
        # Something has changed since it was typed: back to where it can be put right.
        add_refusal(form, error)
        return _terms_page(request, draft, form)
    context = {"draft": draft, "preview": preview, "rhythm": words.rhythm_of(preview.bill), "wallet": preview.bill.wallet}
    return render(request, "payments/bill_check.html", context)


def _agree(request: HttpRequest, draft: BillDraft, form: TermsForm) -> HttpResponse:
    person = person_of(request)
    if draft.bill:
        bill = services.bill_change(by=person, bill_id=UUID(draft.bill), terms=form.terms, now=clock.now())
        if bill.change_approval_id and bill.change:
            return redirect("approve", bill.change_approval_id)
        messages.success(request, _("The bill is changed."))
        return redirect("bill", bill.id)
    bill = services.bill_create(
        by=person,
        party_id=person.party_id,
        to=to_of(draft.payee, draft.iban, draft.holder),
        terms=form.terms,
        idempotency_key=f"page:{draft.key}",
        now=clock.now(),
    )
    if bill.state == BillState.REQUIRES_APPROVAL and bill.approval_id:
        return redirect("approve", bill.approval_id)
    messages.success(request, _("The bill is set up."))
    return redirect("bill", bill.id)


def _preview(request: HttpRequest, draft: BillDraft, form: TermsForm) -> services.BillPreview:
    person = person_of(request)
    if draft.bill:
        return services.bill_change_preview(by=person, bill_id=UUID(draft.bill), terms=form.terms, now=clock.now())
    to = to_of(draft.payee, draft.iban, draft.holder)
    return services.bill_preview(by=person, party_id=person.party_id, to=to, terms=form.terms, now=clock.now())


def _terms_form(request: HttpRequest, draft: BillDraft, data: Any) -> TermsForm:
    person = person_of(request)
    currencies = {str(wallet.id): wallet.currency for wallet in wallets.wallets_for(person.party_id)}
    initial: dict[str, Any] = {"first_on": _today(request)}
    if draft.bill:
        initial = initial_of(selectors.bill_get(person.party_id, UUID(draft.bill)).bill, _today(request))
    return TermsForm(data, initial=initial, currencies=currencies)


def _terms_page(request: HttpRequest, draft: BillDraft, form: TermsForm) -> HttpResponse:
    # Coming back to what was typed shows no errors before anything is sent.
    context = {"form": form, "draft": draft, "payee": draft.holder or draft.payee}
    return render(request, "payments/bill_terms.html", context, status=422 if form.is_bound and form.errors else 200)


# --- one bill -------------------------------------------------------------------------------------------------------------


@require_safe
@login_required
def bill(request: HttpRequest, bill_id: UUID) -> HttpResponse:
    view = selectors.bill_get(person_of(request).party_id, bill_id)
    return _bill_page(request, view)


def _bill_page(request: HttpRequest, view: BillView, form: NextAmountForm | None = None) -> HttpResponse:
    found, coming = view.bill, view.coming
    waiting = found.approval if found.state == BillState.REQUIRES_APPROVAL else found.change_approval if found.change else None
    runs = selectors.runs_of(found)
    context = {
        "view": view,
        "bill": found,
        "rhythm": words.rhythm_of(found),
        "runs": [(run, words.tone(run), words.reason(run.failure_code) if run.failure_code else "") for run in runs],
        "reason": words.reason(found.reason) if found.reason and found.reason != "ended" else "",
        "is_waiting": waiting is not None,
        "is_approved": bool(waiting and waiting.state == Approval.State.CONFIRMED and not waiting.has_expired(clock.now())),
        "can_skip": bool(found.is_living and coming and coming.state in ("scheduled", "retrying")),
        "form": form or NextAmountForm(currency=found.currency, initial={"period": coming.period if coming else ""}),
    }
    return render(request, "payments/bill.html", context, status=422 if form is not None else 200)


@require_safe
@login_required
def bill_change(request: HttpRequest, bill_id: UUID) -> HttpResponse:
    """Begin a change: a draft of its own, with the bill's terms in it."""
    view = selectors.bill_get(person_of(request).party_id, bill_id)
    if not view.bill.is_living:
        raise Http404
    draft = BILLS.save(request.session, BillDraft(bill=str(bill_id), payee=view.payee))
    return redirect("bill_terms", draft.id)


@require_POST
@login_required
def bill_act(request: HttpRequest, bill_id: UUID, act: str) -> HttpResponse:
    person, now = person_of(request), clock.now()
    acts = {
        "pause": (services.bill_pause, _("The bill is paused.")),
        "resume": (services.bill_resume, _("The bill goes on.")),
        "end": (services.bill_end, _("The bill has ended.")),
        "go-on": (services.bill_approve, _("The bill is set up.")),
        "drop-change": (services.bill_change_drop, _("The change is forgotten.")),
    }
    try:
        if act == "skip":
            services.bill_skip_next(by=person, bill_id=bill_id, period=request.POST.get("period", "")[:10], now=now)
            messages.success(request, _("The next payment is left out."))
        elif act == "ask-again":
            return redirect("approve", services.bill_approval_request(by=person, bill_id=bill_id, now=now).id)
        elif act in acts:
            service, done = acts[act]
            service(by=person, bill_id=bill_id, now=now)
            messages.success(request, done)
        else:
            raise Http404
    except HubError as error:
        if error.http_status == 404:
            raise
        messages.error(request, str(error.message))
    return redirect("bill", bill_id)


@require_safe
@login_required
def bill_end(request: HttpRequest, bill_id: UUID) -> HttpResponse:
    return render(request, "payments/bill_end.html", {"view": selectors.bill_get(person_of(request).party_id, bill_id)})


@require_POST
@login_required
def bill_amount(request: HttpRequest, bill_id: UUID) -> HttpResponse:
    person = person_of(request)
    view = selectors.bill_get(person.party_id, bill_id)
    form = NextAmountForm(request.POST, currency=view.bill.currency)
    if form.is_valid():
        try:
            services.bill_amount_set(
                by=person, bill_id=bill_id, amount=form.cleaned_data["money"], period=form.cleaned_data["period"], now=clock.now()
            )
        except HubError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("The amount is set."))
            return redirect("bill", bill_id)
    return _bill_page(request, view, form)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bill_ask(request: HttpRequest, bill_id: UUID) -> HttpResponse:
    """Who is paid by an "up to" bill says how much it is this time."""
    person = person_of(request)
    view = selectors.bill_asked(person.party_id, bill_id)
    form = NextAmountForm(request.POST or None, currency=view.currency, initial={"period": view.period})
    if form.is_valid():
        try:
            services.bill_amount_set(
                by=person, bill_id=bill_id, amount=form.cleaned_data["money"], period=form.cleaned_data["period"], now=clock.now()
            )
        except HubError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("The amount is set."))
            return redirect("bills")
    return render(request, "payments/bill_ask.html", {"view": view, "form": form}, status=422 if form.errors else 200)
