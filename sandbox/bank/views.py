"""The bank's page: what left the hub's account, what was returned."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sandbox.bank import transfers
from sandbox.bank.accounts import ACCOUNTS, grouped
from sandbox.stripe import currencies
from sandbox.world import world

PAGE_SIZE = 100


@require_safe
def statement(request: HttpRequest) -> HttpResponse:
    with world().store.reading() as db:
        rows = [_row(found) for found in transfers.transfers_latest(db, limit=PAGE_SIZE)]
    return render(request, "sandbox/bank.html", {"rows": rows, "accounts": ACCOUNTS, "tab": "bank"})


def _row(found: transfers.Json) -> dict[str, Any]:
    return {
        **found,
        "shown": currencies.display(found["amount"], found["currency"].lower()),
        "iban": grouped(found["creditor"]["iban"]),
        "created": datetime.fromisoformat(found["created_at"]),
    }
