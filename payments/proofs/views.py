"""A payment's proofs: the page and the downloads."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.requests import person_of
from core.money import Money
from payments.proofs import selectors
from wallets.seals.words import kind_label


@require_safe
@login_required
def proofs(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    rows = [
        {"moved": moved, "amount": Money(moved.amount_minor, moved.currency), "label": kind_label(moved.kind)}
        for moved in selectors.moved_by(person_of(request).party_id, payment_id)
    ]
    return render(request, "payments/proofs.html", {"payment_id": payment_id, "rows": rows})


@require_safe
@login_required
def proof(request: HttpRequest, payment_id: UUID, transfer: int) -> HttpResponse:
    answer = JsonResponse(selectors.proof_get(person_of(request).party_id, payment_id, transfer), json_dumps_params={"indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="proof-{transfer}.json"'
    answer["Cache-Control"] = "no-store"
    return answer
