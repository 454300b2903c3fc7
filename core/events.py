"""
The outbox. `emit` writes a fact in the transaction that makes it true; the relay hands it to every handler that
hub/wiring.py names, each exactly once: the handler's effect and the mark "done" share a transaction.

A handler never uses the network; what needs it becomes due work (core.due).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet

from core import clock
from core.db import SYSTEM, scope
from core.models import Delivery, Event

log = structlog.get_logger(__name__)
Handler = Callable[[Event], None]

ATTEMPTS_MAX = 10
_handlers: dict[str, dict[str, Handler]] = {}
_prompt: set[str] = set()


def subscribe(event_name: str, handler: Handler, *, prompt: bool = False) -> None:
    """
    Only hub/wiring.py calls this, so that one file answers "what happens after ...?".

    `prompt`: the process that emitted the event delivers it right after its commit, for effects that the next page
    shows. What that leaves undone (a crash, a failure) the relay finds as always.
    """
    _handlers.setdefault(event_name, {})[f"{handler.__module__}.{handler.__qualname__}"] = handler
    if prompt:
        _prompt.add(event_name)


def handlers_of(event_name: str) -> dict[str, Handler]:
    return _handlers.get(event_name, {})


def wired() -> dict[str, dict[str, Handler]]:
    """Every event that somebody listens to, with its handlers by name."""
    return _handlers


def emit(name: str, *, party_id: UUID | None = None, **data: str | int | bool | UUID | None) -> Event:
    """
    Record a fact. `data` carries ids and codes only, never what a person wrote.

    :raises RuntimeError: outside a transaction (the fact could be lost or outlive its cause).
    """
    return emit_all(name, [(party_id, data)])[0]


def emit_all(name: str, facts: Iterable[tuple[UUID | None, Mapping[str, str | int | bool | UUID | None]]]) -> list[Event]:
    """The same for many facts of one name, each the party it is about and its data; one query."""
    if not connection.in_atomic_block:
        raise RuntimeError("an event is emitted in the transaction that makes it true")
    now, wired = clock.now(), name in _handlers
    found = Event.objects.bulk_create(
        [
            Event(
                name=name, party_id=party_id, data={key: _plain(value) for key, value in data.items()}, created_at=now, fanned_out=not wired
            )
            for party_id, data in facts
        ]
    )
    if wired and found:
        from core import wake

        if name in _prompt:
            for event in found:
                transaction.on_commit(partial(relay_of, event), robust=True)
        transaction.on_commit(wake.relay, robust=True)
    return found


def _plain(value: str | int | bool | UUID | None) -> str | int | bool | None:
    return str(value) if isinstance(value, UUID) else value


def relay_of(event: Event) -> None:
    """Deliver one event here and now."""
    with scope(SYSTEM):
        _fan_out(1, Event.objects.filter(id=event.id))
        while _deliver_one(Delivery.objects.filter(event_id=event.id)):
            pass


def relay(*, limit: int = 200) -> int:
    """
    Deliver what waits; returns how many deliveries were tried. Safe to run in many processes at once.
    """
    with scope(SYSTEM):
        _fan_out(limit)
        tried = 0
        while tried < limit and _deliver_one():
            tried += 1
        return tried


def _fan_out(limit: int, among: QuerySet[Event] | None = None) -> None:
    """Turn new events into one delivery row per handler. Deliveries run on the real clock: none is for a later day."""
    with transaction.atomic():
        new = (Event.objects.all() if among is None else among).filter(fanned_out=False)
        events = list(new.select_for_update(skip_locked=True).order_by("id")[:limit])
        now = clock.real()
        Delivery.objects.bulk_create(
            [Delivery(event=event, handler=name, next_at=now) for event in events for name in handlers_of(event.name)],
            ignore_conflicts=True,
        )
        Event.objects.filter(id__in=[event.id for event in events]).update(fanned_out=True)


def _deliver_one(among: QuerySet[Delivery] | None = None) -> bool:
    now = clock.real()
    with transaction.atomic():
        delivery = (
            (Delivery.objects.all() if among is None else among)
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("event")
            .filter(state=Delivery.State.WAITING, next_at__lte=now)
            .order_by("next_at", "id")
            .first()
        )
        if delivery is None:
            return False
        delivery.attempts += 1
        try:
            with transaction.atomic():
                handler = handlers_of(delivery.event.name).get(delivery.handler)
                if handler is None:
                    raise LookupError("no such handler is wired")
                handler(delivery.event)
                # A deferred constraint that fails at the commit would take the delivery's own row with it, for ever.
                connection.check_constraints()
        except Exception as error:
            _postpone(delivery, error, now)
        else:
            delivery.state, delivery.done_at, delivery.error = Delivery.State.DONE, now, ""
        delivery.save(update_fields=["state", "attempts", "next_at", "done_at", "error"])
        return True


def _postpone(delivery: Delivery, error: Exception, now: datetime) -> None:
    # The class and not the text of the error: a message may quote what a person wrote.
    delivery.error = type(error).__name__
    delivery.next_at = now + backoff(delivery.attempts)
    if delivery.attempts >= ATTEMPTS_MAX:
        delivery.state = Delivery.State.DEAD
    log.warning(
        "event_handler_failed", handler=delivery.handler, event_name=delivery.event.name, attempts=delivery.attempts, exc_info=error
    )


def backoff(attempts: int) -> timedelta:
    """2 s, 4 s, 8 s ... at most one hour."""
    return timedelta(seconds=min(2 ** min(attempts, 12), 3600))


def replay(delivery_ids: list[int], *, now: datetime) -> int:
    """Put dead deliveries back in line; returns how many. The handler runs at most once to its end, as before."""
    return Delivery.objects.filter(id__in=delivery_ids, state=Delivery.State.DEAD).update(
        state=Delivery.State.WAITING, attempts=0, next_at=now, error=""
    )
