"""
`/metrics` in Prometheus' text format: requests of this server, and how the whole hub's work stands.

Only for the operator's collector: a token, an allowed address, else it looks as if there were nothing. Numbers, routes,
kinds and currencies; never a person. Source: docs/operations.md, "Watching".
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Min
from django.db.utils import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from compliance.cases.models import Case
from core import clock, due
from core.db import SYSTEM, scope
from core.http import client_address
from core.metrics import family, line, requests_family
from core.models import Delivery, DueWork, Event
from payments.models import Payment, State
from wallets.safeguarding import selectors as safeguarding
from wallets.verify import sums

QUEUES = (due.DEFAULT_QUEUE, "screening")
# Adding up a whole ledger is work; that it does not balance is refused by the database itself, so this is only the second look.
LEDGER_SECONDS = 300
OPEN_STATES = (State.PENDING, State.UNKNOWN, State.HELD)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if not _allowed(request):
        raise Http404
    lines = requests_family()
    try:
        with scope(SYSTEM):
            lines += [text for part in PARTS for text in part()]
        up = 1
    except DatabaseError:
        up = 0
    lines += family("hub_database_up", "gauge", "1 when the database answers.", [line("hub_database_up", up)])
    lines += _broker()
    return HttpResponse("\n".join(lines) + "\n", content_type=CONTENT_TYPE)


def _allowed(request: HttpRequest) -> bool:
    token = settings.HUB_METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    with suppress(ValueError):
        address = ipaddress.ip_address(client_address(request))
        return any(address in ipaddress.ip_network(network, strict=False) for network in settings.HUB_METRICS_ADDRESSES)
    return False


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def _events() -> list[str]:
    now = clock.real()
    new = Event.objects.filter(fanned_out=False).aggregate(number=Count("id"), oldest=Min("created_at"))
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING).aggregate(number=Count("id"), oldest=Min("event__created_at"))
    oldest = min(filter(None, (new["oldest"], waiting["oldest"])), default=None)
    dead = Delivery.objects.filter(state=Delivery.State.DEAD).count()
    return [
        *_gauge("hub_outbox_waiting", "Events and deliveries that are not done.", new["number"] + waiting["number"]),
        # Events carry the hub's time, which development may move.
        *_gauge("hub_outbox_lag_seconds", "Age of the oldest event that is not delivered to all.", _age(oldest, now + clock.offset())),
        *_gauge("hub_outbox_dead", "Deliveries among the dead letters.", dead),
    ]


def _due() -> list[str]:
    now = clock.now()
    overdue: dict[str, tuple[int, datetime | None]] = dict.fromkeys(QUEUES, (0, None))
    rows = DueWork.objects.filter(state=DueWork.State.WAITING, due_at__lte=now).values_list("kind").annotate(Count("id"), Min("due_at"))
    for kind, more, first in rows.order_by():
        number, oldest = overdue[due.queue_of(kind)]
        overdue[due.queue_of(kind)] = number + more, min(filter(None, (oldest, first)), default=None)
    dead = DueWork.objects.filter(state=DueWork.State.DEAD).values_list("kind").annotate(Count("id")).order_by("kind")
    about = ("Work that is due and not done, by queue.", "How long the oldest of it has been due.", "Work among the dead letters, by kind.")
    return [
        *family("hub_due_waiting", "gauge", about[0], (line("hub_due_waiting", n, (("queue", q),)) for q, (n, _) in overdue.items())),
        *family(
            "hub_due_lag_seconds",
            "gauge",
            about[1],
            (line("hub_due_lag_seconds", _age(o, now), (("queue", q),)) for q, (_, o) in overdue.items()),
        ),
        *family("hub_due_dead", "gauge", about[2], (line("hub_due_dead", number, (("kind", kind),)) for kind, number in dead)),
    ]


def _payments() -> list[str]:
    now = clock.now()
    rows = Payment.objects.filter(state__in=OPEN_STATES).values_list("kind", "state").annotate(Count("id"), Min("created_at"))
    found = [
        ((("kind", kind), ("state", state)), number, _age(oldest, now)) for kind, state, number, oldest in rows.order_by("kind", "state")
    ]
    about = ("Payments that are neither done nor over.", "Age of the oldest of them.")
    return [
        *family("hub_payments_open", "gauge", about[0], (line("hub_payments_open", number, labels) for labels, number, _ in found)),
        *family(
            "hub_payments_open_age_seconds",
            "gauge",
            about[1],
            (line("hub_payments_open_age_seconds", age, labels) for labels, _, age in found),
        ),
    ]


def _cases() -> list[str]:
    found: dict[str, Any] = Case.objects.filter(state=Case.State.OPEN).aggregate(number=Count("id"), oldest=Min("opened_at"))
    return [
        *_gauge("hub_cases_open", "Compliance cases that wait for staff.", found["number"]),
        *_gauge("hub_cases_open_age_seconds", "Age of the oldest of them.", _age(found["oldest"], clock.now())),
    ]


def _ledger() -> list[str]:
    found = cache.get_or_set("hub.metrics.ledger", lambda: (clock.real().timestamp(), sums()), LEDGER_SECONDS)
    at, totals = found or (0.0, {})
    about = "Sum of all entries in minor units: anything but 0 is an emergency."
    return [
        *family(
            "hub_ledger_imbalance", "gauge", about, (line("hub_ledger_imbalance", total, (("currency", c),)) for c, total in totals.items())
        ),
        *_gauge("hub_ledger_checked_timestamp_seconds", "When that was added up.", float(at)),
    ]


def _safeguarding() -> list[str]:
    report = safeguarding.newest()
    found = safeguarding.differences(report) if report else {}
    about = (
        "What lies at providers less what people are owed, in minor units, in the newest report; by provider: what it says less the ledger."
    )
    return [
        *family(
            "hub_safeguarding_difference",
            "gauge",
            about,
            (
                line("hub_safeguarding_difference", minor, (("currency", currency), ("provider", provider or "all")))
                for (currency, provider), minor in found.items()
            ),
        ),
        *_gauge("hub_safeguarding_report_timestamp_seconds", "When that report was made.", report.at.timestamp() if report else 0.0),
    ]


def _gauge(name: str, about: str, value: float) -> list[str]:
    return family(name, "gauge", about, [line(name, value)])


PARTS: tuple[Callable[[], list[str]], ...] = (_events, _due, _payments, _cases, _ledger, _safeguarding)


def _broker() -> list[str]:
    """Wake-ups that wait for a worker. Redis may be away: then the sweeps do without."""
    lengths: dict[str, int] = {}
    if settings.REDIS_URL:
        with suppress(redis.RedisError), redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5) as client:
            lengths = {queue: int(client.llen(queue)) for queue in QUEUES}
    return [
        *_gauge("hub_broker_up", "1 when Redis answers.", int(bool(lengths))),
        *family("hub_broker_waiting", "gauge", "Wake-ups in the broker, by queue.", _lengths(lengths)),
    ]


def _lengths(lengths: dict[str, int]) -> Iterator[str]:
    return (line("hub_broker_waiting", number, (("queue", queue),)) for queue, number in lengths.items())
