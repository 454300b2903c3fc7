"""Several processes at once, some of them killed in the middle."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time as real_time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import Count, Sum

from bench.bills import bills_make
from core import clock, due
from core.models import DueWork, Event
from payments.bills.models import Bill, BillRun
from payments.bills.services import bill_run
from payments.bills.services.runs import KIND
from payments.models import Payment
from tests.databases import ROOT, url_for
from tests.unit.core.threads import together
from wallets.models import Wallet
from wallets.selectors import balances_of
from wallets.verify import verify

BILLS = 200


def all_paid_once(period: str, amount: int = 1_00) -> None:
    assert set(BillRun.objects.filter(period=period).values_list("state", flat=True)) == {"paid"}
    assert BillRun.objects.filter(period=period).count() == BILLS
    assert Payment.objects.count() == BILLS
    assert Event.objects.filter(name="payments.bill.paid").count() == BILLS
    per_bill = BillRun.objects.values("bill").annotate(many=Count("id")).values_list("many", flat=True)
    assert set(per_bill) == {2}
    targets = Wallet.objects.filter(party__in=Bill.objects.values("payee_party"))
    received = sum(balance.posted.amount for balance in balances_of(targets).values())
    assert received == Payment.objects.aggregate(total=Sum("amount_minor"))["total"] == BILLS * amount


class Workers:
    """`python -m bench.bills_worker` in several processes."""

    def __init__(self, database: str, count: int) -> None:
        self.env = {**os.environ, "DATABASE_URL": url_for(database), "DJANGO_SETTINGS_MODULE": "hub.settings"}
        self.running = [self.start() for _ in range(count)]

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "bench.bills_worker"], env=self.env, cwd=ROOT, stdout=subprocess.DEVNULL)

    def kill_one(self, choose: random.Random) -> None:
        index = choose.randrange(len(self.running))
        self.running[index].send_signal(signal.SIGKILL)
        self.running[index].wait()
        self.running[index] = self.start()

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(20)


@pytest.mark.timeout(240)
class TestManyWorkers:
    def test_four_threads_pay_each_once(self, fresh_db: str) -> None:
        period = bills_make(BILLS, payees=3)
        clock.offset_set(timedelta(days=40))
        together(4, lambda: [due.sweep(kinds=[KIND], limit=500) for _ in range(3)])
        all_paid_once(period)

    def test_the_same_run_at_the_same_moment_is_paid_once(self, fresh_db: str) -> None:
        bills_make(1, payees=1)
        run = BillRun.objects.get()
        now = run.due_at + timedelta(minutes=1)
        together(6, lambda: bill_run(bill_id=run.bill_id, period=run.period, now=now))
        assert Payment.objects.count() == 1
        assert BillRun.objects.filter(state="paid").count() == 1
        assert Event.objects.filter(name="payments.bill.paid").count() == 1

    def test_four_processes_with_kills_pay_each_once(self, fresh_db: str) -> None:
        period = bills_make(BILLS, payees=3)
        clock.offset_set(timedelta(days=40))
        workers = Workers(fresh_db, 4)
        choose = random.Random(7)
        try:
            for _ in range(5):
                self.until(lambda: Payment.objects.exists(), 60)
                real_time.sleep(choose.uniform(0.05, 0.3))
                workers.kill_one(choose)
            # What was killed holds its leases for at most a minute.
            self.until(lambda: not BillRun.objects.filter(period=period).exclude(state="paid").exists(), due.LEASE.total_seconds() + 30)
        finally:
            workers.stop()
        all_paid_once(period)
        assert not DueWork.objects.filter(state="dead").exists()
        assert verify().problems == []

    def until(self, what: Callable[[], bool], seconds: float) -> None:
        end = real_time.monotonic() + seconds
        while not what():
            assert real_time.monotonic() < end
            real_time.sleep(0.1)
