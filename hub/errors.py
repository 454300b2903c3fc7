"""Errors that no view answered: a page for people, a problem document for whoever called the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _

from core.api.problems import CONTENT_TYPE
from hub import views

_DETAILS = {
    "bad_request": _("The request cannot be read."),
    "forbidden": _("You may not do this."),
    "not_found": _("We could not find that."),
    "internal": _("Something went wrong on our side. It was logged; try again later."),
}


def _either(page: Callable[..., HttpResponse], status: int, code: str) -> Callable[..., HttpResponse]:
    def handler(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return page(request, *args, **kwargs)
        title = code.replace("_", " ").capitalize()
        body = {"type": f"urn:hub:problem:{code}", "title": title, "status": status, "code": code, "detail": str(_DETAILS[code])}
        return JsonResponse(body, status=status, content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    return handler


bad_request = _either(views.bad_request, 400, "bad_request")
permission_denied = _either(views.permission_denied, 403, "forbidden")
page_not_found = _either(views.page_not_found, 404, "not_found")
server_error = _either(views.server_error, 500, "internal")
