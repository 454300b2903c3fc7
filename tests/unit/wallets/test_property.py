"""A Hypothesis state machine plays the ledger beside a plain model in memory; HUB_SOAK_STEPS makes it long."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from core.errors import HubError
from core.money import Money
from wallets import ledger
from wallets.errors import BatchRefused
from wallets.ledger_models import LedgerAccount, LedgerEntry, LedgerHold
from wallets.verify import verify

START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = int(os.environ.get("HUB_SOAK_STEPS", "30"))


@dataclass
class Account:
    currency: str
    guarded: bool
    floor: int = 0
    ceiling: int = 4 * 10**18
    posted: int = 0
    held: int = 0
    open: bool = True
    balances: list[tuple[datetime, int]] = field(default_factory=list)


@dataclass
class Moved:
    debit: int
    credit: int
    amount: int
    left: int  # of a hold: what remains; of a movement: what can be reversed
    kind: str
    expires_at: datetime | None = None
    state: str = "open"


class Model:
    """What the ledger promises, in the plainest words."""

    def __init__(self):
        self.accounts: dict[int, Account] = {}
        self.moved: dict[int, Moved] = {}
        # (recorded, in effect, account, amount) of everything that moved.
        self.facts: list[tuple[datetime, datetime, int, int]] = []

    def unfit(self, account, currency):
        if account not in self.accounts:
            return "account_unknown"
        if not self.accounts[account].open:
            return "account_closed"
        return "currency_mismatch" if self.accounts[account].currency != currency else None

    def move(self, debit, credit, amount, currency, released=0):
        if debit == credit:
            return "same_account"
        payer: Any = self.accounts.get(debit)
        payee: Any = self.accounts.get(credit)
        refusal = self.unfit(debit, currency)
        if not refusal and payer.guarded and payer.posted - payer.held + released - amount < payer.floor:
            refusal = "insufficient_funds"
        refusal = refusal or self.unfit(credit, currency)
        if not refusal and payee.guarded and payee.posted + amount > payee.ceiling:
            refusal = "ceiling_exceeded"
        if refusal:
            return refusal
        payer.posted -= amount
        payer.held -= released
        payee.posted += amount
        return "ok"


class Ledger(RuleBasedStateMachine):
    now = START
    calls = 0

    @initialize()
    def accounts(self):
        self.model = Model()
        self.holds: list[int] = []
        self.movements: list[int] = []
        self.done: list[tuple[Any, dict[str, Any], int]] = []
        for number in range(3):
            self.model.accounts[ledger.account_open(currency="EUR", now=self.now, floor=-50 * number)] = Account("EUR", True, -50 * number)
        self.model.accounts[ledger.account_open(currency="JPY", now=self.now)] = Account("JPY", True)
        for currency in ("EUR", "JPY"):
            self.model.accounts[ledger.system_account("world", currency, now=self.now)] = Account(currency, False)
        for account, found in list(self.model.accounts.items()):
            world = next(known for known, other in self.model.accounts.items() if not other.guarded and other.currency == found.currency)
            if found.guarded:
                self.post_between(world, account, 300, found.currency)

    def account(self, place):
        # One place beyond the last is an account that is not there.
        known = sorted(self.model.accounts)
        return known[place] if place < len(known) else 10**9

    def key(self):
        Ledger.calls += 1
        return f"{id(self)}:{Ledger.calls}"

    def call(self, function, **arguments):
        self.now += timedelta(seconds=1)
        try:
            return "ok", function(**arguments, now=self.now)
        except HubError as refused:
            return refused.code, None

    def after(self, debit, credit, amount, effective_at=None):
        for account, change in ((debit, -amount), (credit, amount)):
            found = self.model.accounts[account]
            found.balances.append((self.now, found.posted))
            self.model.facts.append((self.now, effective_at or self.now, account, change))

    # Mostly accounts in euros, so that most calls can be done.
    places = st.sampled_from([0, 1, 2, 4, 0, 1, 2, 4, 3, 5, 6])
    amounts = st.integers(1, 120)
    currencies = st.sampled_from(["EUR"] * 6 + ["JPY"])

    @rule(debit=places, credit=places, amount=amounts, currency=currencies, effective=st.none() | st.integers(-60, 60))
    def post(self, debit, credit, amount, currency, effective):
        self.post_between(self.account(debit), self.account(credit), amount, currency, effective)

    def post_between(self, debit, credit, amount, currency, effective=None):
        effective_at = None if effective is None else self.now + timedelta(seconds=effective)
        asked: dict[str, Any] = {"debit": debit, "credit": credit, "amount": Money(amount, currency), "key": self.key()}
        asked |= {"effective_at": effective_at}
        code, answer = self.call(ledger.post, **asked)
        assert code == self.model.move(debit, credit, amount, currency)
        if answer:
            self.model.moved[answer.id] = Moved(debit, credit, amount, amount, "posted")
            self.movements.append(answer.id)
            self.done.append((ledger.post, asked, answer.id))
            self.after(debit, credit, amount, effective_at)

    @rule(
        asked=st.lists(st.tuples(places, places, amounts, currencies, st.integers(0, 30)), min_size=1, max_size=9),
        way=st.sampled_from(["independent", "atomic", "journal"]),
    )
    def batch(self, asked, way):
        items: list[ledger.Item] = []
        for debit, credit, amount, currency, back in asked:
            # Now and then the same item once more.
            again = items[-back] if 0 < back <= len(items) else None
            items.append(again or ledger.Item(self.account(debit), self.account(credit), Money(amount, currency), self.key()))
        before = copy.deepcopy(self.model.accounts)
        expected, keys = [], set()
        for item in items:
            code = "ok" if item.key in keys else self.model.move(item.debit, item.credit, item.amount.amount, item.amount.currency)
            expected.append(code)
            keys |= {item.key} if code == "ok" else set()
        refused = way != "independent" and set(expected) != {"ok"}
        if refused:
            self.model.accounts = before
            expected = ["batch_refused" if code == "ok" else code for code in expected]
        self.now += timedelta(seconds=1)
        code, codes, outcomes = self.batch_answer(items, way)
        assert (code, codes) == ("batch_refused" if refused else "ok", expected)
        new = [
            (item, outcome.transfer)
            for item, outcome in zip(items, outcomes, strict=bool(outcomes))
            if outcome.transfer is not None and not outcome.replayed
        ]
        for item, transfer in new:
            amount = item.amount.amount
            self.model.moved[transfer] = Moved(item.debit, item.credit, amount, amount, "posted")
            self.movements.append(transfer)
            request = {"debit": item.debit, "credit": item.credit, "amount": item.amount, "key": item.key}
            self.done.append((ledger.post, request, transfer))
            self.after(item.debit, item.credit, amount)
        if way == "journal" and new:
            assert [row.id for row in ledger.journal_transfers(new[0][1])] == [transfer for _item, transfer in new]

    def batch_answer(self, items, way):
        try:
            if way == "journal":
                found = ledger.journal_post(items, now=self.now)
            else:
                found = ledger.post_batch(items, mode="atomic" if way == "atomic" else "independent", now=self.now)
        except BatchRefused as refused:
            return refused.code, refused.extra["codes"], []
        return found.code, found.codes, found.outcomes

    @rule(debit=places, credit=places, amount=amounts, currency=currencies, seconds=st.none() | st.integers(2, 60))
    def hold(self, debit, credit, amount, currency, seconds):
        debit, credit, key = self.account(debit), self.account(credit), self.key()
        expires_at = self.now + timedelta(seconds=seconds) if seconds else None
        asked = {"debit": debit, "credit": credit, "amount": Money(amount, currency), "key": key, "expires_at": expires_at}
        code, answer = self.call(ledger.hold, **asked)
        expected = "same_account" if debit == credit else self.model.unfit(credit, currency) or self.model.unfit(debit, currency) or "ok"
        payer: Any = self.model.accounts.get(debit)
        if expected == "ok" and not payer.guarded:
            expected = "account_not_guarded"
        elif expected == "ok" and payer.posted - payer.held - amount < payer.floor:
            expected = "insufficient_funds"
        assert code == expected
        if answer:
            payer.held += amount
            self.model.moved[answer.id] = Moved(debit, credit, amount, amount, "pending", expires_at)
            self.holds.append(answer.id)
            self.done.append((ledger.hold, asked, answer.id))

    def hold_refusal(self, found):
        over = found.expires_at is not None and found.expires_at <= self.now
        if found.state == "expired" or (found.state == "open" and over):
            return "hold_expired"
        return None if found.state == "open" else "hold_closed"

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), final=st.booleans())
    def capture(self, data, final):
        held = data.draw(st.sampled_from(self.holds))
        found, key = self.model.moved[held], self.key()
        amount = data.draw(st.none() | st.integers(1, found.left + 1))
        currency = self.model.accounts[found.debit].currency
        asked = {"hold": held, "amount": amount and Money(amount, currency), "final": final, "key": key}
        code, answer = self.call(ledger.capture, **asked)
        wanted = found.left if amount is None else amount
        expected = self.hold_refusal(found) or ("hold_exceeded" if wanted > found.left else None)
        expected = expected or self.model.move(found.debit, found.credit, wanted, currency, released=wanted)
        assert code == expected
        if answer:
            found.left -= wanted
            if final:
                self.model.accounts[found.debit].held -= found.left
                found.left = 0
            found.state = "open" if found.left else "captured"
            self.model.moved[answer.id] = Moved(found.debit, found.credit, wanted, wanted, "capture")
            self.movements.append(answer.id)
            self.done.append((ledger.capture, asked, answer.id))
            self.after(found.debit, found.credit, wanted)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), expire=st.booleans())
    def give_back(self, data, expire):
        held = data.draw(st.sampled_from(self.holds))
        found = self.model.moved[held]
        if expire:
            code, answer = self.call(ledger.expire, hold=held)
            over = found.expires_at is not None and found.expires_at <= self.now
            expected = "ok" if found.state == "expired" or (found.state == "open" and over) else None
            expected = expected or ("hold_open" if found.state == "open" else "hold_closed")
        else:
            code, answer = self.call(ledger.void, hold=held, key=self.key())
            expected = "ok" if found.state == "open" else self.hold_refusal(found)
        assert code == expected
        if answer and not answer.replayed:
            self.model.accounts[found.debit].held -= found.left
            found.left, found.state = 0, "expired" if expire else "voided"

    @precondition(lambda self: self.movements or self.holds)
    @rule(data=st.data())
    def reverse(self, data):
        original = data.draw(st.sampled_from(self.movements + self.holds))
        found, key = self.model.moved[original], self.key()
        amount = data.draw(st.none() | st.integers(1, found.left + 1))
        currency = self.model.accounts[found.debit].currency
        asked = {"transfer": original, "amount": amount and Money(amount, currency), "key": key}
        code, answer = self.call(ledger.reverse, **asked)
        wanted = found.left if amount is None else amount
        if found.kind not in ("posted", "capture"):
            expected = "not_reversible"
        elif wanted > found.left or found.left == 0:
            expected = "reversal_exceeded"
        else:
            expected = self.model.move(found.credit, found.debit, wanted, currency)
        assert code == expected
        if answer:
            found.left -= wanted
            self.model.moved[answer.id] = Moved(found.credit, found.debit, wanted, wanted, "reversal")
            self.movements.append(answer.id)
            self.done.append((ledger.reverse, asked, answer.id))
            self.after(found.credit, found.debit, wanted)

    @precondition(lambda self: self.done)
    @rule(data=st.data(), same=st.booleans())
    def repeat(self, data, same):
        function, asked, first = data.draw(st.sampled_from(self.done))
        code, answer = self.call(function, **(asked if same else {**asked, "meta": {"other": 1}}))
        if same:
            assert (code, answer.id, answer.replayed) == ("ok", first, True)
        else:
            assert code == "idempotency_conflict"

    @rule(place=places, floor=st.none() | st.integers(-100, 100), ceiling=st.none() | st.integers(-100, 500))
    def limit(self, place, floor, ceiling):
        account = self.account(place)
        found = self.model.accounts.get(account)
        try:
            ledger.account_limit(account, floor=floor, ceiling=ceiling)
            code = "ok"
        except HubError as refused:
            code = refused.code
        if found is None:
            assert code == "account_unknown"
        elif not found.open:
            assert code == "account_closed"
        elif not found.guarded:
            assert code == "account_not_guarded"
        elif floor is not None and found.posted - found.held < floor:
            assert code == "insufficient_funds"
        else:
            assert code == "ok"
            found.floor = found.floor if floor is None else floor
            found.ceiling = found.ceiling if ceiling is None else ceiling

    @rule(place=st.integers(0, 2), archive=st.booleans())
    def close(self, place, archive):
        account = self.account(place)
        found = self.model.accounts[account]
        if archive:
            code, _nothing = self.call(lambda now: ledger.account_archive(account))
            assert code == ("account_open" if found.open else "ok")
            return
        code, _nothing = self.call(lambda now: ledger.account_close(account, now=now))
        assert code == ("account_closed" if not found.open else "balance_not_zero" if found.posted or found.held else "ok")
        found.open = found.open and code != "ok"

    @rule(place=st.integers(0, 5), back=st.integers(-60, 60), known=st.none() | st.integers(0, 60))
    def look_back(self, place, back, known):
        account, moment = self.account(place), self.now - timedelta(seconds=back)
        balances = [posted for at, posted in self.model.accounts[account].balances if at <= moment]
        assert ledger.balance_known(account, moment) == (balances[-1] if balances else 0)
        known_at = None if known is None else self.now - timedelta(seconds=known)
        facts = self.model.facts
        counted = [row[3] for row in facts if row[2] == account and row[1] <= moment and (known_at is None or row[0] <= known_at)]
        assert ledger.balance_effective(account, moment, known_at=known_at) == sum(counted)

    @invariant()
    def same_balances(self):
        if not hasattr(self, "model"):
            return
        for account in LedgerAccount.objects.filter(id__in=self.model.accounts):
            found = self.model.accounts[account.id]
            if found.guarded:
                state = ledger.account_state(account.id)
                assert (account.posted, account.held) == (found.posted, found.held) == (state.posted.amount, state.held.amount)
            else:
                assert sum(LedgerEntry.objects.filter(account=account).values_list("amount", flat=True)) == found.posted
        for held in LedgerHold.objects.filter(id__in=self.holds):
            assert (held.remaining, held.state) == (self.model.moved[held.id].left, self.model.moved[held.id].state)

    def teardown(self):
        assert verify().problems == []


@pytest.mark.django_db
def test_the_ledger_does_what_the_model_does():
    from django.db import transaction

    class Rolled(Ledger):
        """Each example starts on empty books."""

        def __init__(self):
            super().__init__()
            self.block = transaction.atomic()
            self.block.__enter__()

        def teardown(self):
            super().teardown()
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    run_state_machine_as_test(
        Rolled,
        settings=settings(
            max_examples=max(40, STEPS // 100),
            stateful_step_count=min(STEPS, 100),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
