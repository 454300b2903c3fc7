"""
The demo's year, lived through on a clock that is moved in this process alone: every movement goes through the services of
its own moment, bills are run on their days, and events are delivered as time goes.

Each step has a key of its own and what is there is passed over, so a load that was stopped goes on where it was. The
programs that do due work must not run meanwhile: they would do last year's at today's time.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db import connection

from accounts import services as accounts
from accounts.approvals import Action, approval_confirm, approval_request
from accounts.models import Party, Person
from accounts.selectors import party_by_handle
from budgeting import services as budgeting
from compliance.models import Verdict
from core import clock, due, events
from core.models import DueWork
from core.money import Money
from engagement.notifications import services as notices
from engagement.notifications.topics import Channel, Topic
from hub.demo import plan
from hub.demo.access import Access
from hub.demo.pages import pay_on_hosted_page
from hub.demo.plan import Move
from payments import services as payments
from payments.bills import services as bills
from payments.bills.models import Bill, BillState
from payments.bills.schedule import Shift
from payments.bills.services import Terms, To
from payments.exemptions import transfer_exempt
from payments.models import Payment, State
from wallets.models import Wallet

PEOPLE = {"ada": "ada@demo.example", "bosse": "bo@demo.example", "chen": "chen@demo.example"}
SHOPKEEPER = "shops@demo.example"
CURRENCY = "EUR"
BILL_RUN = "payments.bill_run"
# The last thing that is made: where it is, all is.
LAST = "demo:held"
# On the demo's sanctions list, which is made up as a whole.
LISTED = ("mallory@demo.example", "Mallory Madeup", "mallory")
BUDGETS = {"groceries": 11_000, "eating_out": 3_000, "transport": 3_500, "leisure": 2_500, "housing": 120_000, "health": 2_000}


def live(access: Access) -> None:
    """Everything that is missing of the year. Without a sandbox nobody can pay by card, so there is no money and no history."""
    if not settings.SANDBOX_URL or Payment.objects.filter(idempotency_key=LAST).exists():
        return
    with _hurried():
        _Year(access).live()


@contextmanager
def _hurried() -> Iterator[None]:
    """Made-up money need not be on the disk at every step, and is no news for the log; it leaves little garbage to look for."""
    before, collecting = logging.root.manager.disable, gc.get_threshold()
    logging.disable(logging.INFO)
    gc.set_threshold(100_000, 50, 1_000)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    try:
        yield
    finally:
        gc.set_threshold(*collecting)
        logging.disable(before)
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")


class _Year:
    def __init__(self, access: Access) -> None:
        self.people = {handle: Person.objects.get(email=email) for handle, email in PEOPLE.items()}
        self.passwords = {row["email"]: row["password"] for row in access.people}
        self.begin = self.people["ada"].created_at
        self.end = self.begin + plan.YEAR
        self.parties: dict[str, Party] = {}
        self.wallets: dict[str, Wallet] = {}

    def live(self) -> None:
        with clock.moved(self.begin):
            screened()
            self._mails(wanted=False)
        with clock.moved(self.begin + timedelta(hours=1)):
            self._bills_set_up()
            self._budgets_set("ada")
        done = set(Payment.objects.filter(idempotency_key__startswith="demo:", state__in=_DONE).values_list("idempotency_key", flat=True))
        for move, following in pairwise([*plan.year(self.begin), None]):
            assert move is not None
            self._bills_run(until=move.at)
            with clock.moved(move.at):
                if move.key not in done:
                    self._carry_out(move)
                if following is None or following.at.month != move.at.month:
                    # What handlers write goes by the time of the event, so a month at a time is soon enough.
                    events.relay(limit=10_000)
        self._bills_run(until=self.end)
        with clock.moved(self.end):
            events.relay(limit=10_000)
        self._end()

    def _carry_out(self, move: Move) -> None:
        if move.is_top_up:
            self._top_up(move)
            return
        movement = self._send(move.payer, move.by, move.payee, move.amount, move.note, key=move.key)
        if movement.payment.state != State.POSTED:
            raise RuntimeError(f"the demo's {move.key} is {movement.payment.state}")

    def _send(self, payer: str, by: str, payee: str, amount: int, note: str, *, key: str) -> payments.Movement:
        """As the pages do it: what needs an approval is approved with the password before it is sent."""
        person, wallet, money = self.people[by], self._wallet(payer), Money(amount, CURRENCY)
        what: dict[str, Any] = {"by": person, "party_id": wallet.party_id, "source_wallet_id": wallet.id, "amount": money, "note": note}
        approval_id = None
        if not transfer_exempt(by=person, present=True, amount=money, payee_party=self._party(payee).id):
            action = Action("transfer", amount=money, payee=self._party(payee).id, extra={"wallet": str(wallet.id)})
            approval_id = approval_request(person, action, clock.now()).id
            approval_confirm(person, approval_id, password=self.passwords[person.email], now=clock.now())
        return payments.transfer_send(**what, payee=f"@{payee}", approval_id=approval_id, idempotency_key=key, now=clock.now())

    def _top_up(self, move: Move) -> None:
        """A page that a stopped load left behind may be paid, open, or not there at all: then it is another one's turn."""
        wallet = self._wallet(move.payee)
        for turn in range(3):
            key = move.key if turn == 0 else f"{move.key}:{turn}"
            found = payments.top_up_start(
                by=self.people[move.by],
                party_id=wallet.party_id,
                wallet_id=wallet.id,
                amount=Money(move.amount, CURRENCY),
                idempotency_key=key,
                now=clock.now(),
            )
            if found.replayed:
                found = payments.top_up_refresh(payment_id=found.payment.id, now=clock.now())
            if found.url:
                pay_on_hosted_page(found.url)
                found = payments.top_up_refresh(payment_id=found.payment.id, now=clock.now())
            if found.payment.state == State.POSTED:
                return
        raise RuntimeError(f"the demo's {move.key} is {found.payment.state}")

    def _bills_set_up(self) -> None:
        for number, wish in enumerate(plan.BILLS):
            self._bill(wish, key=f"demo:bill:{number}")
        events.relay(limit=1_000)

    def _bill(self, wish: plan.Wish, *, key: str) -> None:
        wallet, person = self._wallet(wish.payer), self.people[wish.by]
        terms = Terms(
            name=wish.name,
            wallet_id=wallet.id,
            amount=Money(wish.amount, CURRENCY),
            first_on=plan.first_on(wish, self.begin),
            shift=wish.shift,
            country="" if wish.shift is Shift.NONE else "SE",
        )
        bill = Bill.objects.filter(party_id=wallet.party_id, idempotency_key=key).first() or bills.bill_create(
            by=person, party_id=wallet.party_id, to=To(payee=f"@{wish.payee}"), terms=terms, idempotency_key=key, now=clock.now()
        )
        if bill.state == BillState.REQUIRES_APPROVAL:
            approval = bills.bill_approval_request(by=person, bill_id=bill.id, now=clock.now())
            approval_confirm(person, approval.id, password=self.passwords[person.email], now=clock.now())
            bills.bill_approve(by=person, bill_id=bill.id, now=clock.now())

    def _bills_run(self, *, until: datetime) -> None:
        """Each at its own moment, as the worker would have."""
        while True:
            coming = DueWork.objects.filter(kind=BILL_RUN, state=DueWork.State.WAITING, due_at__lte=until).order_by("due_at", "id").first()
            if coming is None:
                return
            with clock.moved(coming.due_at):
                due.sweep(kinds=[BILL_RUN], limit=1)

    def _budgets_set(self, handle: str) -> None:
        amounts = {category: Money(amount, CURRENCY) for category, amount in BUDGETS.items()}
        budgeting.budgets_set(party_id=self._party(handle).id, amounts=amounts, now=clock.now())

    def _mails(self, *, wanted: bool) -> None:
        """A year's mails would all arrive today: until the end of it nobody wants any. The shops never do."""
        if not wanted:
            keeper, nothing = Person.objects.get(email=SHOPKEEPER), {(topic, channel): False for topic in Topic for channel in Channel}
            notices.preferences_save(person=keeper, wanted=nothing, now=clock.now())
        for person in self.people.values():
            notices.preferences_save(person=person, wanted={(topic, Channel.EMAIL): wanted for topic in Topic}, now=clock.now())

    def _end(self) -> None:
        """What is a week old has been read; then a payment to somebody on the list waits for staff."""
        with clock.moved(self.end - timedelta(days=7)):
            for person in self.people.values():
                notices.notices_read_all(person=person, now=clock.now())
        with clock.moved(self.end - timedelta(hours=2)):
            self._mails(wanted=True)
            email, name, handle = LISTED
            if not Person.objects.filter(email=email).exists():
                listed = accounts.person_sign_up(email=email, password=None, name=name, email_proved=True, now=clock.now())
                accounts.handle_set(by=listed, party_id=listed.party_id, handle=handle, now=clock.now())
            events.relay(limit=1_000)
            screened()
        with clock.moved(self.end - timedelta(hours=1)):
            self._send("ada", "ada", LISTED[2], 2_400, "For the concert ticket", key=LAST)
            events.relay(limit=1_000)

    def _party(self, handle: str) -> Party:
        if handle not in self.parties:
            found = party_by_handle(handle)
            if found is None:
                raise RuntimeError(f"the demo has no @{handle}")
            self.parties[handle] = found
        return self.parties[handle]

    def _wallet(self, handle: str) -> Wallet:
        if handle not in self.wallets:
            self.wallets[handle] = Wallet.objects.get(party=self._party(handle), currency=CURRENCY, state=Wallet.State.OPEN)
        return self.wallets[handle]


_DONE = (State.POSTED, State.HELD)


def screened() -> None:
    """
    Load the made-up sanctions list and screen whoever is not screened yet: the screening process, which does it otherwise,
    may not be up while the demo is made, and payments would wait for it.
    """
    from compliance.screening import lists, worker

    lists.list_load(source=lists.Source.DEMO, path=lists.DEMO_LIST, now=clock.now())
    known = Verdict.objects.values("party_id")
    for party_id in Party.objects.exclude(id__in=known).values_list("id", flat=True):
        worker.party_screen(party_id=party_id, now=clock.now())
