import json
from datetime import UTC, datetime

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from sandbox.inbox.messages import Message, message_add, message_find, messages_find
from sandbox.web import policy
from sandbox.world import world

PAGE_SIZE = 50
REFRESH_SECONDS = 4
SMS_LONGEST = 1600
FRAME_HEAD = '<!doctype html><base target="_blank"><style>body{font:16px/1.5 system-ui,sans-serif;margin:1rem}</style>'


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    to = request.GET.get("to", "")[:320]
    before = _number(request.GET.get("before"))
    with world().store.reading() as db:
        found = messages_find(db, to=to, part=True, limit=PAGE_SIZE + 1, before_id=before)
    context = {
        "messages": found[:PAGE_SIZE],
        "older": found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
        "to": to,
        "tab": "inbox",
        "live": "live" in request.GET,
        "refresh_seconds": REFRESH_SECONDS,
    }
    return render(request, "sandbox/inbox.html", context)


@require_safe
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    response = render(request, "sandbox/message.html", {"message": _get(message_id), "tab": "inbox"})
    response.headers["Content-Security-Policy"] = policy(extra="; frame-src 'self'")
    return response


@require_safe
def message_html(request: HttpRequest, message_id: int) -> HttpResponse:
    """The HTML part for a sandboxed frame: no script, no network; links open in a new tab."""
    found = _get(message_id)
    response = HttpResponse(f"{FRAME_HEAD}{found.html}")
    response.headers["Content-Security-Policy"] = (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "form-action 'none'; frame-ancestors 'self'"
    )
    return response


def _get(message_id: int) -> Message:
    with world().store.reading() as db:
        found = message_find(db, message_id) if message_id < 2**63 else None
    if found is None:
        raise Http404
    return found


@require_safe
def messages_json(request: HttpRequest) -> HttpResponse:
    """`?to=` whole address, `?kind=email|sms`, `?since=` an id (later ones only) or an ISO time, `?limit=`; newest first."""
    since = request.GET.get("since", "")
    after_id = _number(since) or 0
    moment = None
    if since and not after_id and since != "0":
        try:
            moment = datetime.fromisoformat(since.replace(" ", "+"))
        except ValueError:
            return _bad("since is a message id or an ISO 8601 time")
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    limit = min(_number(request.GET.get("limit")) or 100, 1000)
    to, kind = request.GET.get("to", ""), request.GET.get("kind", "")
    with world().store.reading() as db:
        found = messages_find(db, to=to, kind=kind, after_id=after_id, since=moment, limit=limit)
    return JsonResponse({"messages": [_json(one) for one in found]})


def _json(found: Message) -> dict[str, object]:
    return {
        "id": found.id,
        "kind": found.kind,
        "to": found.recipient,
        "from": found.sender,
        "subject": found.subject,
        "text": found.text,
        "html": found.html,
        "at": found.at.isoformat(),
    }


@csrf_exempt
@require_POST
def sms_send(request: HttpRequest) -> HttpResponse:
    """`{"to", "text", "from"?, "id"?}`; the same id again is the same message."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return _bad("the body is not JSON")
    if not isinstance(body, dict):
        return _bad("the body is a JSON object")
    to, text, sender, client_id = (body.get(name, default) for name, default in (("to", ""), ("text", ""), ("from", "Hub"), ("id", None)))
    if not isinstance(to, str) or not 3 <= len(to.strip()) <= 40:
        return _bad("to is a telephone number")
    if not isinstance(text, str) or not text or len(text) > SMS_LONGEST:
        return _bad(f"text has 1 to {SMS_LONGEST} characters")
    if not isinstance(sender, str) or len(sender) > 40 or not (client_id is None or _client_id_valid(client_id)):
        return _bad("from or id is not a short text")
    sms = Message("sms", to.strip().lower(), sender, "", text, "", world().clock.now(), client_id=client_id)
    with world().store.writing() as db:
        message_id = message_add(db, sms)
    return JsonResponse({"id": message_id}, status=201)


def _client_id_valid(client_id: object) -> bool:
    return isinstance(client_id, str) and 0 < len(client_id) <= 255 and client_id.isprintable()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _bad(detail: str) -> HttpResponse:
    return JsonResponse({"error": {"code": "bad_request", "message": detail}}, status=400)
