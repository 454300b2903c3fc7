"""The hosted payment page: where a person types a (test) card, and where the bank asks for 3-D Secure."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from sandbox.stripe import currencies
from sandbox.stripe.cards import BY_NUMBER, CARDS, CardInvalid, card_read
from sandbox.stripe.checkout import PayState, challenge_answer, intent_of_session, return_url, session_get, session_pay
from sandbox.stripe.errors import Json, ResourceMissing
from sandbox.web import policy
from sandbox.world import world


class SeeOther(HttpResponseRedirect):
    status_code = 303


# The address of the page is the secret, so a cookie would add nothing.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, session_id: str) -> HttpResponse:
    here = world()
    session, intent = _look_up(session_id)
    if session is None:
        return _closed(request, None, status=404)
    if session["status"] != "open":
        return _closed(request, session)
    if request.method != "POST":
        error = (intent or {}).get("last_payment_error")
        return _page(request, session, problem=error["message"] if error else "")
    try:
        given = card_read(request.POST.dict(), today=here.clock.now().date())
    except CardInvalid as error:
        return _page(request, session, errors=error.fields, status=422)
    with here.store.writing() as db:
        state = session_pay(db, here, session_id, given)
    return _after(session, state)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def challenge(request: HttpRequest, session_id: str) -> HttpResponse:
    session, intent = _look_up(session_id)
    if session is None:
        return _closed(request, None, status=404)
    if session["status"] != "open":
        return _closed(request, session)
    if intent is None or intent["status"] != "requires_action":
        return SeeOther(f"/pay/{session_id}")
    if request.method == "POST" and request.POST.get("answer") in {"approve", "fail"}:
        with world().store.writing() as db:
            state = challenge_answer(db, world(), session_id, approved=request.POST["answer"] == "approve")
        return _after(session, state)
    return _render(request, session, "sandbox/challenge.html", {"card": intent["card"]})


def _look_up(session_id: str) -> tuple[Json | None, Json | None]:
    with world().store.writing() as db:
        try:
            session = session_get(db, world(), session_id)
        except ResourceMissing:
            return None, None
        intent = intent_of_session(db, session)
        card = intent.private.get("card") if intent else None
        shown = f"{card['brand'].title()} •••• {card['last4']}" if card else ""
        return {**session.body, "lines": session.private["lines"]}, {**intent.body, "card": shown} if intent else None


def _after(session: Json, state: PayState) -> HttpResponse:
    here = f"/pay/{session['id']}"
    if state in {PayState.PAID, PayState.PROCESSING}:
        response = SeeOther(return_url(session))
        response.headers["Content-Security-Policy"] = _policy_of(session)
        return response
    return SeeOther(f"{here}/challenge" if state == PayState.CHALLENGE else here)


def _page(
    request: HttpRequest, session: Json, *, errors: dict[str, str] | None = None, problem: str = "", status: int = 200
) -> HttpResponse:
    form = {name: request.POST.get(name, "") for name in ("number", "expiry", "name")}
    # Only a test card is shown again: what else was typed might be somebody's real one.
    if "".join(form["number"].split()) not in BY_NUMBER:
        form["number"] = ""
    context = {"errors": errors or {}, "focus": next(iter(errors or {}), ""), "problem": problem, "form": form, "cards": CARDS}
    return _render(request, session, "sandbox/pay.html", context, status=status)


def _render(
    request: HttpRequest, session: Json, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    lines = [
        {"name": line["description"], "quantity": line["quantity"], "amount": currencies.display(line["amount_total"], line["currency"])}
        for line in session["lines"]
    ]
    shown = {
        "session": session,
        "lines": lines,
        "amount": currencies.display(session["amount_total"], session["currency"]),
        **(context or {}),
    }
    response = render(request, template, shown, status=status)
    response.headers["Content-Security-Policy"] = _policy_of(session)
    return response


def _policy_of(session: Json) -> str:
    # Browsers apply form-action to where a POST redirects, so the merchant's origin has to be in it.
    parts = urlsplit(session["success_url"])
    return policy(form_action=f"'self' {parts.scheme}://{parts.netloc.rpartition('@')[2]}")


def _closed(request: HttpRequest, session: Json | None, *, status: int = 200) -> HttpResponse:
    if session is None:
        context: dict[str, Any] = {"state": "unknown"}
    elif session["status"] == "complete":
        state = "paid" if session["payment_status"] == "paid" else "processing"
        amount = currencies.display(session["amount_total"], session["currency"])
        context = {"state": state, "amount": amount, "back": return_url(session)}
    else:
        context = {"state": "expired", "back": session["cancel_url"]}
    return render(request, "sandbox/closed.html", context, status=status)
