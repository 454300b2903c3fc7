"""20,000 bills that come due in one minute, paid once each by four worker processes of which 15 are killed on the way."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from bench import database
from bench.rows import Row, against

if TYPE_CHECKING:
    from accounts.models import Person
    from wallets.models import Wallet

BILLS, WORKERS, KILLS = 20_000, 4, 15
PAYERS, PAYEES = 400, 40
# Due within one minute, paid within five: what is left of the lease of a killed worker is part of that.
BAR_SECONDS = 300


def rows(*, quick: bool = False) -> Iterator[Row]:
    from django.db import connections

    from core import clock
    from payments.bills.models import BillRun
    from payments.models import Payment

    count, kills = (1_000, 3) if quick else (BILLS, KILLS)
    bills_make(count, payers=PAYERS, payees=PAYEES)
    clock.offset_set(timedelta(days=40))
    connections.close_all()
    began = time.monotonic()
    rate, half = _paid_by_killed_workers(count, kills)
    took = time.monotonic() - began
    paid = BillRun.objects.filter(state="paid", payment__state="posted").count()
    if paid != count or Payment.objects.filter(kind="transfer", idempotency_key__startswith="bill:").count() != count:
        raise AssertionError(f"{paid} of {count} bills paid")
    yield against("bills.due", "bills/s", rate, f"bar: {count:,} within {BAR_SECONDS} s, {kills} workers killed", count / BAR_SECONDS)
    yield against("bills.due.all", "s", took, f"bar: at most; {half:.0f} s for the first half", BAR_SECONDS)


def _paid_by_killed_workers(count: int, kills: int) -> tuple[float, float]:
    """Bills per second until nine in ten are paid (then leases of the killed run out), and seconds for the first half."""
    from payments.bills.models import BillRun

    choose = random.Random(1)
    running = [_worker() for _ in range(WORKERS)]
    began, half, most = time.monotonic(), 0.0, 0.0
    marks = sorted(choose.uniform(0.05, 0.85) for _ in range(kills))
    try:
        while (paid := BillRun.objects.filter(state="paid").count()) < count:
            now = time.monotonic() - began
            half = half or (now if paid >= count / 2 else 0.0)
            most = most or (now if paid >= count * 0.9 else 0.0)
            while marks and paid >= marks[0] * count:
                marks.pop(0)
                index = choose.randrange(WORKERS)
                running[index].send_signal(signal.SIGKILL)
                running[index].wait()
                running[index] = _worker()
            if now > BAR_SECONDS * 12:
                raise AssertionError(f"{paid} of {count} bills paid after {now:.0f} s")
            time.sleep(0.25)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)
    most = most or time.monotonic() - began
    return count * 0.9 / most, half or most


def _worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "bench.bills_worker"], cwd=database.ROOT)


def bills_make(count: int, *, payers: int = 20, payees: int = 3) -> str:
    """Bills of 1 EUR that are due within one minute of one period, written in bulk: setting them up is not what is measured."""
    from core import clock
    from core.db import SYSTEM, scope
    from core.ids import uuid7
    from core.models import DueWork
    from payments.bills.models import Bill, BillRun
    from payments.bills.services.runs import KIND, run_key

    with scope(SYSTEM):
        now = clock.now()
        sources = [_party_with(f"payer{number}", 100_000) for number in range(payers)]
        targets = [_party_with(f"payee{number}", 0)[0] for number in range(payees)]
        first = (now + timedelta(days=30)).date()
        bills, runs, works = [], [], []
        for number in range(count):
            person, wallet = sources[number % payers]
            bill = Bill(
                party_id=person.party_id, by_person=person, state="active", name=f"Bill {number}", wallet=wallet,
                payee_party_id=targets[number % payees].party_id, amount_kind="fixed", amount_minor=1_00, currency="EUR", every="month",
                interval=1, anchor=first.day, first_on=first, shift="none", at="08:00", time_zone="UTC",
                idempotency_key=str(uuid7()), request_hash=b"", created_at=now,
            )  # fmt: skip
            due_at = now + timedelta(days=30, seconds=60 * number / count)
            run = BillRun(bill=bill, period=f"{first.year}-{first.month:02}", on_date=first, pay_on=first, due_at=due_at, amount_minor=1_00)
            bills.append(bill)
            runs.append(run)
            data = {"bill_id": str(bill.id), "period": run.period}
            works.append(DueWork(kind=KIND, run_key=run_key(run), due_at=due_at, data=data, secret="", created_at=now))
        Bill.objects.bulk_create(bills, batch_size=1000)
        BillRun.objects.bulk_create(runs, batch_size=1000)
        DueWork.objects.bulk_create(works, batch_size=1000)
        return runs[0].period


def _party_with(name: str, minor: int) -> tuple[Person, Wallet]:
    from accounts.models import Person as People
    from compliance.models import PartyLevel, Verdict
    from core import clock
    from core.ids import uuid7
    from core.money import Money
    from wallets import ledger
    from wallets.services import wallet_open

    now = clock.now()
    person = People.objects.create_user(f"{name}.{uuid7().hex}@bench.example", None, name=name)
    PartyLevel.objects.create(party_id=person.party_id, level=1, active_from=now - timedelta(days=1))
    verdict = Verdict(party=person.party, state=Verdict.State.CLEAR, screened_at=now, list_id=2**62)
    Verdict.objects.bulk_create([verdict], ignore_conflicts=True)
    wallet = wallet_open(party_id=person.party_id, currency="EUR", now=now)
    if minor:
        source = ledger.system_account("bench", "EUR")
        ledger.post(debit=source, credit=wallet.account, amount=Money(minor, "EUR"), key=f"bench:{wallet.id}", now=now)
    return person, wallet
