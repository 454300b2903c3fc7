"""The page of a wallet's statements, and its downloads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from accounts.requests import person_of
from core import clock
from wallets import selectors as wallets
from wallets.models import Wallet
from wallets.statements import documents, periods, proof, selectors
from wallets.statements.documents import Format
from wallets.statements.forms import PeriodForm
from wallets.statements.periods import Period

LINES_SHOWN = 100


@require_safe
@login_required
def statements(request: HttpRequest, wallet_id: UUID) -> HttpResponse:
    """Without a period in the address it is the month that is running."""
    wallet = wallets.wallet_get(person_of(request).party_id, wallet_id)
    zone = timezone.get_current_timezone_name()
    today = clock.today(zone)
    wished = {name: request.GET[name] for name in ("from", "to") if name in request.GET}
    now_month = periods.month(today, zone)
    form = PeriodForm(wished or {"from": now_month.since, "to": now_month.until}, zone=zone)
    context: dict[str, Any] = {"wallet": wallet, "form": form, "choices": _choices(wallet, zone), "formats": Format.choices}
    if form.is_valid():
        context |= _statement(wallet, form.cleaned_data["period"], request)
    return render(request, "wallets/statements.html", context, status=200 if form.is_valid() else 422)


def _choices(wallet: Wallet, zone: str) -> dict[str, Any]:
    today, opened = clock.today(zone), timezone.localtime(wallet.opened_at).date()
    first = max(today.year - 9, opened.year)
    return {
        "months": [periods.month(day, zone) for day in periods.recent_months(today, since=opened)],
        "years": [periods.year(number, zone) for number in range(today.year, first - 1, -1)],
        "all": Period(min(opened, today), today, zone),
    }


def _statement(wallet: Wallet, period: Period, request: HttpRequest) -> dict[str, Any]:
    statement = selectors.statement_for(wallet, period, now=clock.now())
    after = request.GET.get("after", "")
    place = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    shown = list(selectors.lines(statement, after=place, limit=LINES_SHOWN))
    last = shown[-1].entry.seq if shown else statement.last
    return {
        "statement": statement,
        "lines": shown,
        "next_after": last if last < statement.last else None,
        "proof": proof.reference(statement),
    }


@require_safe
@login_required
def statement_file(request: HttpRequest, wallet_id: UUID, form: str) -> HttpResponseBase:
    wallet = wallets.wallet_get(person_of(request).party_id, wallet_id)
    wanted = PeriodForm(request.GET, zone=timezone.get_current_timezone_name())
    if form not in Format.values or not wanted.is_valid():
        raise Http404
    statement = selectors.statement_for(wallet, wanted.cleaned_data["period"], now=clock.now())
    # Too long for a PDF is a refusal; the middleware shows it.
    made = documents.document(statement, Format(form), language=get_language() or "en", now=clock.now())
    headers = {"Cache-Control": "no-store"}
    return FileResponse(made.file, as_attachment=True, filename=made.name, content_type=made.content_type, headers=headers)
