"""Pages of pots: a new one, one with its history, its name and goal, money in and out, closing it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import person_of
from core import clock, formatting
from core.errors import HubError
from core.forms import add_refusal
from wallets import selectors as wallets
from wallets.pots import selectors, services
from wallets.pots.forms import PotAmountForm, PotForm

HISTORY_ROWS = 30


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def pot_new(request: HttpRequest, wallet_id: UUID) -> HttpResponse:
    party_id = person_of(request).party_id
    wallet = wallets.wallet_get(party_id, wallet_id)
    form = PotForm(request.POST if request.method == "POST" else None, currency=wallet.currency)
    if request.method == "POST" and form.is_valid():
        try:
            pot = services.pot_open(
                party_id=party_id, wallet_id=wallet_id, **_described(form), idempotency_key=str(form.cleaned_data["key"]), now=clock.now()
            )
        except HubError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Your pot is there. Put something in."))
            return redirect("pot", pot.id)
    return render(request, "wallets/pot_form.html", {"form": form, "wallet": wallet}, status=422 if form.errors else 200)


@require_safe
@login_required
def pot(request: HttpRequest, pot_id: UUID) -> HttpResponse:
    view = selectors.view_of(selectors.pot_get(person_of(request).party_id, pot_id))
    before = request.GET.get("before", "")
    before_seq = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    entries = wallets.entries_of(view.pot.account, view.pot.currency, before_seq=before_seq, limit=HISTORY_ROWS + 1)
    context = {
        "view": view,
        "a_month": view.a_month(clock.today(timezone.get_current_timezone_name())),
        "entries": entries[:HISTORY_ROWS],
        "next_before": entries[HISTORY_ROWS - 1].seq if len(entries) > HISTORY_ROWS else None,
    }
    return render(request, "wallets/pot.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def pot_change(request: HttpRequest, pot_id: UUID) -> HttpResponse:
    found = selectors.pot_get(person_of(request).party_id, pot_id)
    goal = found.goal
    initial = {"name": found.name, "goal": formatting.money_input(goal) if goal else "", "goal_on": found.goal_on}
    form = PotForm(request.POST if request.method == "POST" else None, currency=found.currency, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.pot_change(party_id=found.party_id, pot_id=pot_id, **_described(form), now=clock.now())
        except HubError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("The pot is changed."))
            return redirect("pot", pot_id)
    return render(request, "wallets/pot_form.html", {"form": form, "pot": found}, status=422 if form.errors else 200)


def _described(form: PotForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("name", "goal", "goal_on")}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def pot_put(request: HttpRequest, pot_id: UUID) -> HttpResponse:
    return _move(request, pot_id, inward=True)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def pot_take(request: HttpRequest, pot_id: UUID) -> HttpResponse:
    return _move(request, pot_id, inward=False)


def _move(request: HttpRequest, pot_id: UUID, *, inward: bool) -> HttpResponse:
    view = selectors.view_of(selectors.pot_get(person_of(request).party_id, pot_id))
    form = PotAmountForm(request.POST if request.method == "POST" else None, currency=view.pot.currency)
    if request.method == "POST" and form.is_valid():
        move = services.pot_put if inward else services.pot_take
        try:
            move(
                party_id=view.pot.party_id,
                pot_id=pot_id,
                amount=form.cleaned_data["money"],
                idempotency_key=str(form.cleaned_data["key"]),
                now=clock.now(),
            )
        except HubError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("The money is in the pot.") if inward else _("The money is back in your account."))
            return redirect("pot", pot_id)
    context = {"form": form, "view": view, "inward": inward, "available": wallets.balance_of(view.pot.wallet).available}
    return render(request, "wallets/pot_move.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def pot_close(request: HttpRequest, pot_id: UUID) -> HttpResponse:
    view = selectors.view_of(selectors.pot_get(person_of(request).party_id, pot_id))
    if request.method == "POST":
        services.pot_close(party_id=view.pot.party_id, pot_id=pot_id, now=clock.now())
        messages.success(request, _("The pot is closed. What was in it is back in your account."))
        return redirect("wallet", view.pot.wallet_id)
    return render(request, "wallets/pot_close.html", {"view": view})
