"""`/bank/v1/transfers` and `/bank/v1/balances`: JSON in and out, one key, our caller's id as `Idempotency-Key`."""

import hmac
import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from sandbox.bank import transfers
from sandbox.bank.transfers import BankError, Json
from sandbox.control.faults import Fault, fault_take
from sandbox.server import Silence
from sandbox.world import World, world

KEY_PREFIX = "bk_test_"


@csrf_exempt
@require_http_methods(["GET", "POST"])
def collection(request: HttpRequest) -> HttpResponse:
    """POST gives an order; GET `?client_id=` finds one by the id of whoever gave it."""
    return _answer(request, "bank_create" if request.method == "POST" else "bank_retrieve")


@csrf_exempt
@require_http_methods(["GET"])
def one(request: HttpRequest, transfer_id: str) -> HttpResponse:
    return _answer(request, "bank_retrieve", transfer_id)


@csrf_exempt
@require_http_methods(["GET"])
def balances(request: HttpRequest) -> HttpResponse:
    return _answer(request, "bank_retrieve", what="balances")


def _answer(request: HttpRequest, place: str, transfer_id: str = "", *, what: str = "transfers") -> HttpResponse:
    here = world()
    fault = Fault()
    try:
        _authorise(request, here)
        with here.store.writing() as db:
            fault = fault_take(db, place)
        _fault_before(fault)
        if fault.mode == "timeout_before_commit":
            return Silence(fault.seconds)
        if fault.mode == "slow":
            here.stopping.wait(fault.seconds)
        body, status = _create(request, here) if request.method == "POST" else _read(request, here, transfer_id, what)
        if fault.mode == "error_500_after_commit":
            raise BankError("internal", "a fault of the sandbox; the work was done", status=500)
    except BankError as error:
        body, status = {"error": {"code": error.code, "message": error.message}}, error.status
    if fault.mode == "timeout_after_commit":
        return Silence(fault.seconds)
    return JsonResponse(body, status=status)


def _fault_before(fault: Fault) -> None:
    if fault.mode == "error_500":
        raise BankError("internal", "a fault of the sandbox; nothing was done", status=500)
    if fault.mode == "rate_limited":
        raise BankError("rate_limited", "too many requests (a fault of the sandbox)", status=429)


def _authorise(request: HttpRequest, here: World) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    expected = here.config.bank_key
    known = hmac.compare_digest(key.encode(), expected.encode()) if expected else key.startswith(KEY_PREFIX)
    if scheme.lower() != "bearer" or not known:
        raise BankError("unauthorized", "the key is missing or unknown", status=401)


def _create(request: HttpRequest, here: World) -> tuple[Json, int]:
    client_id = request.headers.get("Idempotency-Key", "")
    if not (0 < len(client_id) <= transfers.KEY_LONGEST and client_id.isprintable()):
        raise BankError("key_required", "Idempotency-Key has 1 to 64 characters", status=400)
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BankError("invalid", "the body is not JSON", status=400) from None
    if not isinstance(body, dict):
        raise BankError("invalid", "the body is a JSON object", status=400)
    wish = transfers.wish_read(body)
    with here.store.writing() as db:
        found, new = transfers.transfer_create(db, here, client_id, wish)
    return found, 201 if new else 200


def _read(request: HttpRequest, here: World, transfer_id: str, what: str) -> tuple[Json, int]:
    with here.store.reading() as db:
        if what == "balances":
            return {"balances": transfers.balances(db)}, 200
        if transfer_id:
            return transfers.transfer_get(db, transfer_id), 200
        client_id = request.GET.get("client_id", "")
        found = transfers.transfer_find(db, client_id)
        return {"transfers": [found] if found else []}, 200
