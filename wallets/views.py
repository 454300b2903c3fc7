"""Pages of accounts: the list, opening one, closing one. One with its history is composed in hub/views.py."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import person_of
from core import clock
from core.errors import HubError
from core.forms import add_refusal
from wallets import selectors, services
from wallets.forms import WalletOpenForm


@require_safe
@login_required
def wallets(request: HttpRequest) -> HttpResponse:
    found = list(selectors.wallets_for(person_of(request).party_id))
    balances = selectors.balances_of(found)
    return render(request, "wallets/wallets.html", {"rows": [{"wallet": wallet, "balance": balances[wallet.id]} for wallet in found]})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def wallet_open(request: HttpRequest) -> HttpResponse:
    party_id = person_of(request).party_id
    taken = frozenset(wallet.currency for wallet in selectors.wallets_for(party_id))
    form = WalletOpenForm(request.POST or None, taken=taken)
    if form.is_valid():
        try:
            wallet = services.wallet_open(party_id=party_id, currency=form.cleaned_data["currency"], now=clock.now())
        except HubError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Your new account is open."))
            return redirect("wallet", wallet.id)
    return render(request, "wallets/wallet_open.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def wallet_close(request: HttpRequest, wallet_id: UUID) -> HttpResponse:
    found = selectors.wallet_get(person_of(request).party_id, wallet_id)
    refusal: HubError | None = None
    if request.method == "POST":
        try:
            services.wallet_close(wallet=found, now=clock.now())
        except HubError as error:
            refusal = error
        else:
            messages.success(request, _("The account is closed. Its history stays in your activity."))
            return redirect("wallets")
    context = {"wallet": found, "balance": selectors.balance_of(found), "refusal": refusal}
    return render(request, "wallets/wallet_close.html", context, status=refusal.http_status if refusal else 200)
