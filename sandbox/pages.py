from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sandbox.stripe.cards import CARDS
from sandbox.world import world

ASSETS = {"sandbox.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    config = world().config
    context = {
        "cards": CARDS,
        "base": config.public_url,
        "smtp_port": config.smtp_port,
        "webhook_url": config.webhook_url,
        "now": world().clock.now(),
    }
    return render(request, "sandbox/index.html", context)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    with world().store.reading() as db:
        db.execute("SELECT 1").fetchone()
    return JsonResponse({"ok": True, "now": world().clock.now().isoformat()})


@require_safe
def asset(request: HttpRequest, name: str) -> HttpResponse:
    if name not in ASSETS:
        raise Http404
    body = (Path(__file__).parent / "assets" / name).read_bytes()
    return HttpResponse(body, content_type=ASSETS[name], headers={"Cache-Control": "no-cache"})


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/assets/icon.svg")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "sandbox/problem.html", {"title": "Nothing here", "text": "There is no such page in the sandbox."}, status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse("Bad request\n", status=400, content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    return HttpResponse("The sandbox made a mistake; its log says which.\n", status=500, content_type="text/plain")
