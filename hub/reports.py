"""Where browsers tell of content that the security policy refused."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

log = structlog.get_logger(__name__)
_MAX_BYTES = 16_384


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Log which rule refused what kind of source. Anybody can post here: only short, checked parts of it are kept."""
    if int(request.headers.get("Content-Length") or 0) <= _MAX_BYTES:
        try:
            report = json.loads(request.body)["csp-report"]
            directive = str(report.get("effective-directive") or report.get("violated-directive"))[:60]
            blocked = str(report.get("blocked-uri"))[:200]
        except (ValueError, KeyError, TypeError, AttributeError):
            return HttpResponse(status=400)
        # A path may carry what a person typed; the origin says enough.
        origin = urlsplit(blocked).netloc or blocked.split(":", 1)[0]
        log.warning("csp_violation", directive=directive, blocked=origin)
    return HttpResponse(status=204)
