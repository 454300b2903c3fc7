"""Where providers send their news. Anybody can reach it, so nothing is believed before the signature is checked."""

from __future__ import annotations

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core import clock
from core.db import SYSTEM, scope
from payments import services
from payments.gateways.base import WebhookForged

log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, gateway: str) -> HttpResponse:
    """200 as soon as the message is stored, also when it was stored before; 400 for what the provider did not sign."""
    try:
        with scope(SYSTEM):
            services.webhook_receive(gateway=gateway, body=request.body, headers=request.headers, now=clock.now())
    except (WebhookForged, RequestDataTooBig) as error:
        log.warning("webhook_refused", gateway=gateway, reason=type(error).__name__)
        return HttpResponse(status=400)
    return HttpResponse(status=200)
