"""Public pages: the ledger's seals, for everybody to compare proofs with, and the script that checks them. No sign-in."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from wallets.seals import selectors

SHOWN, LISTED = 20, 500
SCRIPT = Path(settings.BASE_DIR) / "docs" / "verify_proof.py"


@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    found = list(selectors.seals()[: SHOWN + 1])
    base = "base.html" if request.user.is_authenticated else "base_public.html"
    return render(request, "wallets/seals.html", {"base": base, "head": found[0] if found else None, "rows": found[1:]})


@require_safe
def ledger_head(request: HttpRequest) -> HttpResponse:
    """The newest seal; 404 before the first."""
    head = selectors.head()
    if head is None:
        raise Http404
    return _published(selectors.seal_document(head))


@require_safe
def ledger_seal(request: HttpRequest, number: int) -> HttpResponse:
    if number >= 2**63:
        raise Http404
    return _published(selectors.seal_document(selectors.seal_get(number)))


@require_safe
def ledger_seals(request: HttpRequest) -> HttpResponse:
    """Newest first; `?before=NUMBER` goes on."""
    before = request.GET.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    rows = selectors.seal_documents(before=number, limit=LISTED)
    return _published({"items": rows, "next_before": rows[-1]["number"] if rows and rows[-1]["number"] > 1 else None})


@require_safe
def verify_script(request: HttpRequest) -> HttpResponse:
    answer = HttpResponse(SCRIPT.read_bytes(), content_type="text/x-python; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="verify_proof.py"'
    return answer


def _published(document: object) -> JsonResponse:
    answer = JsonResponse(document)
    # Anybody's page may fetch it: it is public and the same for all.
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cache-Control"] = "no-store"
    return answer
