"""Making the daily report, taking down what providers say, and moving the operator's own money out from among people's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import connection, transaction

from accounts.models import Person
from core import audit, events
from core.money import Money
from wallets import ledger
from wallets.safeguarding.accounts import PROVIDER, SUSPENSE, own_code, provider_code
from wallets.safeguarding.models import SafeguardingLine, SafeguardingPlace, SafeguardingReport

log = structlog.get_logger(__name__)

# One statement, so that all of it is of one moment. What lies at providers are debits here: the sign is turned.
_SUMS = """
SELECT currency, 'people', sum(posted)::bigint FROM ledger_account WHERE kind = 'guarded' AND posted <> 0 GROUP BY currency
UNION ALL
SELECT a.currency, CASE WHEN a.code LIKE %(suspense)s THEN 'suspense' ELSE a.code END, sum(e.total)::bigint
FROM ledger_account a
CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM ledger_entry WHERE account = a.id) e
WHERE a.code LIKE %(suspense)s OR a.code LIKE %(provider)s
GROUP BY 1, 2
"""


def today_of(now: datetime) -> date:
    """The operator's day."""
    return now.astimezone(ZoneInfo(settings.HUB_TIME_ZONE)).date()


@transaction.atomic
def report_make(*, now: datetime) -> SafeguardingReport:
    """
    The report of the operator's day, made at the first call on that day; later calls return it.

    A difference is an alarm: `wallets.safeguarding.different`, one for each currency.
    """
    on = today_of(now)
    with connection.cursor() as cursor:
        # Two workers' ticks at once make one report.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('wallets:safeguarding', 0))")
    found = SafeguardingReport.objects.filter(on=on).first()
    if found is not None:
        return found
    sums = _sums()
    lines = [_line(currency, sums[currency]) for currency in sorted(sums)]
    report = SafeguardingReport.objects.create(on=on, at=now, agrees=not any(line.difference for line in lines))
    for line in lines:
        line.report = report
    SafeguardingLine.objects.bulk_create(lines)
    SafeguardingPlace.objects.bulk_create(
        SafeguardingPlace(report=report, provider=code.removeprefix(PROVIDER), currency=currency, ledger=-total)
        for currency, by_code in sorted(sums.items())
        for code, total in sorted(by_code.items())
        if code.startswith(PROVIDER)
    )
    events.emit("wallets.safeguarding.reported", report_id=report.id, on=on.isoformat(), agrees=report.agrees)
    for line in lines:
        if line.difference:
            _alarm(report, line.currency, line.difference)
    return report


def _sums() -> dict[str, dict[str, int]]:
    """By currency: people, suspense, and each provider's code."""
    found: dict[str, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {"suspense": f"{SUSPENSE}%", "provider": f"{PROVIDER}%"})
        for currency, which, total in cursor.fetchall():
            found.setdefault(currency, {})[which] = total
    return found


def _line(currency: str, sums: dict[str, int]) -> SafeguardingLine:
    client_money = -sum(total for code, total in sums.items() if code.startswith(PROVIDER))
    people, suspense = sums.get("people", 0), sums.get("suspense", 0)
    return SafeguardingLine(
        currency=currency, client_money=client_money, people=people, suspense=suspense, difference=client_money - people - suspense
    )


def _alarm(report: SafeguardingReport, currency: str, difference: int, *, provider: str = "") -> None:
    log.error("safeguarding_different", on=report.on.isoformat(), currency=currency, difference=difference, provider=provider)
    events.emit(
        "wallets.safeguarding.different",
        report_id=report.id,
        on=report.on.isoformat(),
        currency=currency,
        difference=difference,
        provider=provider,
    )


@transaction.atomic
def places_record(*, report_id: UUID, provider: str, balances: Iterable[Money], now: datetime) -> list[SafeguardingPlace]:
    """
    What a provider says it holds, in every currency it has. A balance that the ledger does not know is a difference too, and
    so is one of the ledger's that the provider does not know. Told once; a second answer for the same report changes nothing.
    """
    report = SafeguardingReport.objects.get(id=report_id)
    with connection.cursor() as cursor:
        # Reports are only ever added to, so there is no row to lock.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"wallets:safeguarding:{report_id}"])
    said = {money.currency: money.amount for money in balances}
    known = {place.currency: place for place in report.places.filter(provider=provider)}
    for currency in sorted(said.keys() - known.keys()):
        if said[currency]:
            known[currency] = SafeguardingPlace.objects.create(report=report, provider=provider, currency=currency, ledger=0)
    changed = []
    for currency, place in sorted(known.items()):
        if place.reported_at is not None and place.state != SafeguardingPlace.State.UNAVAILABLE:
            continue
        place.reported, place.reported_at, place.failure_code = said.get(currency, 0), now, ""
        place.state = SafeguardingPlace.State.DIFFERS if place.difference else SafeguardingPlace.State.AGREES
        place.save(update_fields=["reported", "reported_at", "state", "failure_code"])
        changed.append(place)
        if place.difference:
            _alarm(report, currency, place.difference, provider=provider)
    return changed


@transaction.atomic
def places_unavailable(*, report_id: UUID, provider: str, code: str, now: datetime) -> None:
    """The provider gave no answer that can be used; it may be asked again."""
    waiting = SafeguardingPlace.objects.filter(report_id=report_id, provider=provider, reported__isnull=True)
    waiting.update(state=SafeguardingPlace.State.UNAVAILABLE, failure_code=code[:40], reported_at=now)


@transaction.atomic
def own_money_move(
    *, provider: str, amount: Money, inward: bool = False, by: Person | None, idempotency_key: str, now: datetime
) -> ledger.Transfer:
    """
    Take down that the operator's own money left the account that holds people's (fees it has earned), or with `inward` that it
    put some in (a loss made good). The bank moves the money; this says so in the books.

    Repeating the call with the same key and arguments changes nothing.

    :raises AmountInvalid: not positive.
    :raises IdempotencyConflict: the key did something else before.
    """
    theirs, own = (ledger.system_account(code(provider), amount.currency, now=now) for code in (provider_code, own_code))
    # Money at a provider is a debit here: what leaves the account of people is credited to it.
    debit, credit = (theirs, own) if inward else (own, theirs)
    moved = ledger.post(debit=debit, credit=credit, amount=amount, key=f"own:{idempotency_key}", now=now, meta={"what": "own_money"})
    if not moved.replayed:
        audit.record(
            "wallets.own_money.moved",
            actor=by,
            object_type="ledger_transfer",
            object_id=moved.id,
            provider=provider,
            amount=amount.amount,
            currency=amount.currency,
            inward=inward,
        )
    return moved
