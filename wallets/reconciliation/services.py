"""Comparing an account with a file, and resolving what was found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Person
from core import audit, crypto, events
from core.money import CURRENCIES
from formats.statements import reading
from formats.statements.model import Statement, StatementRefused, Transaction
from wallets.ledger_models import LedgerAccount
from wallets.models import Wallet
from wallets.pots.models import Pot
from wallets.reconciliation.errors import AccountNotFound, AlreadyResolved, FileEmpty, FileOfAnotherCurrency, FileRefused, NoteRequired
from wallets.reconciliation.matching import DAYS_APART, Pair, Result, Side, match, references
from wallets.reconciliation.models import NOTE_MAX, ReconciliationItem, ReconciliationRun
from wallets.statements.periods import Period

Kind = ReconciliationItem.Kind


def account_find(text: str, currency: str = "") -> LedgerAccount:
    """
    The account that staff mean: a ledger account's number, a wallet's or pot's id, or a system account's code with a currency.

    :raises AccountNotFound: there is none.
    """
    found = LedgerAccount.objects.filter(code=text, currency=currency).first()
    if found is None:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else _account_of(text)
        found = LedgerAccount.objects.filter(id=number).first() if number else None
    if found is None or (currency and found.currency != currency):
        raise AccountNotFound()
    return found


def _account_of(text: str) -> int | None:
    try:
        wanted = UUID(text)
    except ValueError:
        return None
    owner = Wallet.objects.filter(id=wanted).first() or Pot.objects.filter(id=wanted).first()
    return owner.account if owner else None


@transaction.atomic
def reconcile(*, account: LedgerAccount, data: bytes, by: Person | None, now: datetime, days: int = DAYS_APART) -> ReconciliationRun:
    """
    Compare the account with a statement of it (CAMT.053, OFX or our own CSV) over the period that the file covers, in the
    operator's time zone. The same file again returns the first comparison.

    An account of ours at a provider is mirrored: what the bank calls money in is a debit here.

    :raises FileRefused, FileEmpty, FileOfAnotherCurrency: about the file.
    """
    digest = hashlib.sha256(data).hexdigest()
    found = ReconciliationRun.objects.filter(account=account.id, digest=digest).first()
    if found is not None:
        return found
    statement = _read(data)
    if statement.currency and statement.currency != account.currency:
        raise FileOfAnotherCurrency(expected=account.currency, found=statement.currency[:12])
    period = _period(statement)
    mirrored = account.kind == LedgerAccount.Kind.ACCUMULATING
    ours = list(_ours(account, period, days, mirrored=mirrored))
    theirs = [_theirs(number, line, account.currency) for number, line in enumerate(statement.transactions)]
    # Days at the edges may be the next ones with the other side: those entries may match, and are nobody's business if not.
    result = match([side for side, _inside in ours], theirs, days=days)
    inside = {side.key for side, within in ours if within}
    extra = [side for side in result.extra if side.key in inside]
    return _stored(account, statement, period, result, extra, mirrored=mirrored, digest=digest, by=by, now=now)


def _read(data: bytes) -> Statement:
    try:
        return reading.read(data)
    except StatementRefused as error:
        raise FileRefused(reason=error.code, line=error.line) from error


def _period(statement: Statement) -> Period:
    days = [line.booked_on for line in statement.transactions]
    since, until = statement.since or min(days, default=None), statement.until or max(days, default=None)
    if since is None or until is None:
        raise FileEmpty()
    return Period(min([since, *days]), max([until, *days]), settings.HUB_TIME_ZONE)


def _ours(account: LedgerAccount, period: Period, days: int, *, mirrored: bool) -> Iterator[tuple[Side, bool]]:
    """The account's entries of the period and of some days around it, and whether each lies inside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.id, e.amount, (e.created_at AT TIME ZONE %s)::date, t.meta->>'payment', t.meta->>'pot'"
            " FROM ledger_entry e JOIN ledger_transfer t ON t.id = e.transfer"
            " WHERE e.account = %s AND e.created_at >= %s AND e.created_at < %s ORDER BY e.seq",
            [period.zone, account.id, _moved(period.starts_at, -days), _moved(period.ends_at, days)],
        )
        for transfer, amount, on, payment, pot in cursor.fetchall():
            side = Side(transfer, -amount if mirrored else amount, on, references(str(transfer), payment or "", pot or ""))
            yield side, period.since <= on <= period.until


def _moved(moment: datetime, days: int) -> datetime:
    return moment + timedelta(days=days)


def _theirs(number: int, line: Transaction, currency: str) -> Side:
    return Side(number, _minor(line.amount, currency), line.booked_on, references(line.bank_id, line.reference))


def _minor(amount: Decimal, currency: str) -> int:
    minor = amount.scaleb(CURRENCIES[currency].exponent)
    if minor != minor.to_integral_value():
        raise FileRefused(reason="decimals", line=None)
    return int(minor)


def _stored(
    account: LedgerAccount,
    statement: Statement,
    period: Period,
    result: Result,
    extra: list[Side],
    *,
    mirrored: bool,
    digest: str,
    by: Person | None,
    now: datetime,
) -> ReconciliationRun:
    clean = not (result.missing or extra or result.different)
    run = ReconciliationRun.objects.create(
        account=account.id,
        currency=account.currency,
        owner_id=_owner(account),
        format=statement.format,
        digest=digest,
        mirrored=mirrored,
        since=period.since,
        until=period.until,
        closing_theirs=None if statement.closing is None else _minor(statement.closing, account.currency),
        closing_ours=_closing(account, period) * (-1 if mirrored else 1),
        matched=len(result.matched),
        missing=len(result.missing),
        extra=len(extra),
        different=len(result.different),
        state=ReconciliationRun.State.DONE if clean else ReconciliationRun.State.OPEN,
        by_person=by,
        created_at=now,
        done_at=now if clean else None,
    )
    lines = statement.transactions
    for side in result.missing:
        _item(run, Kind.MISSING, theirs=side, text=_words(lines[side.key]))
    for side in extra:
        _item(run, Kind.EXTRA, ours=side)
    for pair in result.different:
        _different(run, pair, lines[pair.theirs.key])
    counts: dict[str, Any] = {"matched": run.matched, "missing": run.missing, "extra": run.extra, "different": run.different}
    audit.record("wallets.reconciliation.made", actor=by, party_id=_party(run), object_type="reconciliation", object_id=run.id, **counts)
    events.emit("wallets.reconciliation.made", run_id=run.id, account=account.id, currency=account.currency, **counts)
    return run


def _item(
    run: ReconciliationRun, kind: str, *, ours: Side | None = None, theirs: Side | None = None, text: str = "", reason: str = ""
) -> None:
    ReconciliationItem.objects.create(
        run=run,
        owner_id=run.owner_id,
        kind=kind,
        reason=reason,
        transfer=ours.key if ours else None,
        ours_minor=ours.amount if ours else None,
        ours_on=ours.on if ours else None,
        theirs_minor=theirs.amount if theirs else None,
        theirs_on=theirs.on if theirs else None,
        text=text,
    )


def _different(run: ReconciliationRun, pair: Pair, line: Transaction) -> None:
    _item(run, Kind.DIFFERENT, ours=pair.ours, theirs=pair.theirs, text=_words(line), reason=pair.reason)


def _words(line: Transaction) -> str:
    return " · ".join(part for part in (line.bank_id, line.reference, line.counterparty, line.description) if part)


def _closing(account: LedgerAccount, period: Period) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_balance_at(%s, %s - interval '1 microsecond')", [account.id, period.ends_at])
        return int(cursor.fetchone()[0])


def _owner(account: LedgerAccount) -> UUID:
    owner = Wallet.objects.filter(account=account.id).first() or Pot.objects.filter(account=account.id).first()
    return owner.party_id if owner else crypto.SYSTEM_OWNER


def _party(run: Any) -> UUID | None:
    return None if run.owner_id == crypto.SYSTEM_OWNER else run.owner_id


@transaction.atomic
def item_resolve(*, item_id: UUID, note: str, by: Person, now: datetime) -> ReconciliationItem:
    """
    Say what a difference was; with the last one of its comparison that is done.

    :raises NoteRequired: no words, or more than NOTE_MAX.
    :raises AlreadyResolved: somebody did so before.
    """
    # The run's row makes the last two of a run wait for each other, so that one of them finds nothing open.
    run_id = ReconciliationItem.objects.values_list("run_id", flat=True).get(id=item_id)
    run = ReconciliationRun.objects.select_for_update().get(id=run_id)
    item = ReconciliationItem.objects.select_for_update().get(id=item_id)
    if item.state != ReconciliationItem.State.OPEN:
        raise AlreadyResolved()
    item.note = note.strip()
    if not 0 < len(item.note) <= NOTE_MAX:
        raise NoteRequired()
    item.state, item.resolved_by, item.resolved_at = ReconciliationItem.State.RESOLVED, by, now
    item.save(update_fields=["note", "state", "resolved_by", "resolved_at"])
    audit.record("wallets.reconciliation.resolved", actor=by, party_id=_party(item), object_type="reconciliation_item", object_id=item.id)
    if not run.items.filter(state=ReconciliationItem.State.OPEN).exists():
        run.state, run.done_at = ReconciliationRun.State.DONE, now
        run.save(update_fields=["state", "done_at"])
        events.emit("wallets.reconciliation.done", run_id=run.id, account=run.account)
    return item
