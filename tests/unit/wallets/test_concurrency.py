"""Real commits, many connections at once."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from threading import Lock

import pytest
from django.db import transaction

from accounts.models import Party
from core.errors import HubError
from core.idempotency import IdempotencyConflict
from core.money import Money
from tests.unit.core.threads import together
from wallets import ledger, services
from wallets.errors import InsufficientFunds, ReversalExceeded
from wallets.models import Wallet
from wallets.verify import verify


def outcomes(count, work):
    """How many of the calls came to each end: a result's word or the class of the refusal."""
    numbers, lock = itertools.count(), Lock()

    def one():
        with lock:
            number = next(numbers)
        try:
            return "replayed" if work(number).replayed else "done"
        except HubError as refused:
            return type(refused)

    found = together(count, one)
    return {outcome: found.count(outcome) for outcome in set(found)}


def together_numbered(count, work):
    numbers, lock = itertools.count(), Lock()

    def one():
        with lock:
            number = next(numbers)
        return work(number)

    return together(count, one)


@pytest.fixture
def book(committed_book):
    yield committed_book
    assert verify().problems == []


def test_fifty_withdrawals_of_the_whole_balance_one_wins(book):
    account, world = book.account(1000), book.world()
    assert outcomes(50, lambda number: book.post(account, world, 1000, key=f"w{number}")) == {"done": 1, InsufficientFunds: 49}
    assert book.state(account) == (0, 0)


def test_fifty_withdrawals_of_a_tenth_ten_win(book):
    account, target = book.account(1000), book.account()
    assert outcomes(50, lambda number: book.post(account, target, 100, key=f"w{number}")) == {"done": 10, InsufficientFunds: 40}
    assert book.state(target) == (1000, 0)


def test_fifty_holds_never_overdraw(book):
    account, world = book.account(1000), book.world()

    def hold(number):
        return ledger.hold(debit=account, credit=world, amount=Money(300, "EUR"), key=f"h{number}", now=book.now)

    assert outcomes(50, hold) == {"done": 3, InsufficientFunds: 47}
    assert book.state(account) == (1000, 900)


def test_one_key_from_many_sides_is_done_once(book):
    account, world = book.account(1000), book.world()
    assert outcomes(20, lambda _number: book.post(account, world, 10, key="same")) == {"done": 1, "replayed": 19}
    assert book.state(account) == (990, 0)


def test_one_key_with_different_requests_conflicts(book):
    account, other, world = book.account(1000), book.account(1000), book.world()
    found = outcomes(20, lambda number: book.post(account if number % 2 else other, world, 10, key="same"))
    assert found == {"done": 1, "replayed": 9, IdempotencyConflict: 10}


def test_one_capture_by_many_is_done_once(book):
    account, world = book.account(1000), book.world()
    held = ledger.hold(debit=account, credit=world, amount=Money(300, "EUR"), key="h", now=book.now)
    assert outcomes(20, lambda _number: ledger.capture(hold=held.id, key="c", now=book.now)) == {"done": 1, "replayed": 19}
    assert book.state(account) == (700, 0)


def test_reversals_by_many_never_pass_the_original(book):
    payer, payee = book.account(100), book.account(1000)
    done = book.post(payer, payee, 100)

    def reverse(number):
        return ledger.reverse(transfer=done.id, amount=Money(30, "EUR"), key=f"r{number}", now=book.now)

    assert outcomes(20, reverse) == {"done": 3, ReversalExceeded: 17}


def test_opening_one_wallet_by_many_makes_one(book):
    party = Party.objects.create(name="Åsa")
    found = together(12, lambda: services.wallet_open(party_id=party.id, currency="EUR", now=book.now).id)
    assert len(set(found)) == 1
    assert Wallet.objects.count() == 1


def test_one_system_account_by_many(book):
    assert len(set(together(12, lambda: ledger.system_account("new", "EUR", now=book.now)))) == 1


def test_one_key_in_a_single_transfer_and_in_batches_at_once_is_done_once(book):
    account, world = book.account(1000), book.world()
    item = ledger.Item(account, world, Money(10, "EUR"), "same")

    def one(number):
        if number % 2:
            return book.post(account, world, 10, key="same")
        return ledger.post_batch(
            [item, ledger.Item(account, world, Money(1, "EUR"), f"own:{number}")], mode="atomic", now=book.now
        ).outcomes[0]

    assert outcomes(20, one) == {"done": 1, "replayed": 19}
    assert book.state(account) == (1000 - 10 - 10, 0)


def test_batches_of_the_same_accounts_spend_what_is_there_and_no_more(book):
    accounts = [book.account(100) for _ in range(5)]
    world = book.world()

    def batch(number):
        items = [ledger.Item(account, world, Money(30, "EUR"), f"{number}:{account}") for account in accounts]
        return ledger.post_batch(items, mode="atomic", now=book.now).code

    found = together_numbered(12, batch)
    assert sorted(found) == ["batch_refused"] * 9 + ["ok"] * 3
    assert [book.state(account) for account in accounts] == [(10, 0)] * 5


def test_mixed_work_on_few_accounts_never_surfaces_a_deadlock(book):
    accounts = [book.account(500) for _ in range(4)]
    everyone = [*accounts, book.world()]

    def work(seed):
        choose = random.Random(seed)
        for step in range(120):
            key, now = f"{seed}:{step}", book.now + timedelta(milliseconds=choose.randrange(1000))
            debit, credit = choose.sample(everyone, 2)
            amount = Money(choose.randrange(1, 80), "EUR")
            try:
                match choose.randrange(7):
                    case 0 | 1:
                        ledger.post(debit=debit, credit=credit, amount=amount, key=key, now=now)
                    case 2:
                        held = ledger.hold(debit=choose.choice(accounts), credit=everyone[-1], amount=amount, key=key, now=now)
                        if choose.random() < 0.5:
                            ledger.capture(hold=held.id, key=f"{key}:c", now=now, amount=Money(1, "EUR"), final=choose.random() < 0.5)
                        else:
                            ledger.void(hold=held.id, key=f"{key}:v", now=now)
                    case 3:
                        ledger.reverse(original_key=f"{choose.randrange(8)}:{choose.randrange(step + 1)}", key=key, now=now)
                    case 4:
                        with transaction.atomic():
                            ledger.lock(everyone)
                            ledger.post(debit=accounts[0], credit=accounts[1], amount=amount, key=f"{key}:1", now=now)
                            ledger.post(debit=accounts[1], credit=accounts[0], amount=amount, key=f"{key}:2", now=now)
                    case 5 | 6:
                        pairs = [choose.sample(everyone, 2) for _ in range(choose.randrange(2, 12))]
                        items = [
                            ledger.Item(one, two, Money(choose.randrange(1, 30), "EUR"), f"{key}:{n}") for n, (one, two) in enumerate(pairs)
                        ]
                        ledger.post_batch(items, mode=choose.choice(["atomic", "independent"]), now=now)
            except HubError:
                pass
        return True

    assert together_numbered(8, work) == [True] * 8
