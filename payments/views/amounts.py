"""The step of both ways of sending in which the amount is typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from accounts.requests import person_of
from core.money import Money
from payments.drafts import AmountDraft
from payments.forms import SendAmountForm
from wallets import selectors as wallets


def currencies_of(request: HttpRequest) -> dict[str, str]:
    """The wallets that the person can choose from, id to currency."""
    return {str(wallet.id): wallet.currency for wallet in wallets.wallets_for(person_of(request).party_id)}


def available(request: HttpRequest) -> list[Money]:
    """What can be spent from each open wallet."""
    return [found.available for found in wallets.balances_of(wallets.wallets_for(person_of(request).party_id)).values()]


def amount_form(request: HttpRequest, draft: AmountDraft, data: Mapping[str, Any] | None, *, note_help: str = "") -> SendAmountForm:
    initial = {"amount": draft.amount, "note": draft.note} | ({"wallet": draft.wallet} if draft.wallet else {})
    form = SendAmountForm(data, initial=initial, currencies=currencies_of(request))
    form.fields["note"].help_text = note_help or form.fields["note"].help_text
    return form
