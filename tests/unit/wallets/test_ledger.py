from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction

from core.errors import HubError
from core.idempotency import IdempotencyConflict
from core.ids import uuid7
from core.models import DueWork
from core.money import AmountInvalid, CurrencyMismatch, Money
from tests.unit.wallets.conftest import Book
from wallets import ledger
from wallets.errors import (
    AccountClosed,
    AccountNotEmpty,
    AccountNotGuarded,
    AccountUnknown,
    CeilingExceeded,
    HoldClosed,
    HoldExceeded,
    HoldExpired,
    HoldOpen,
    HoldUnknown,
    InsufficientFunds,
    NotReversible,
    ReversalExceeded,
    SameAccount,
    TransferUnknown,
)
from wallets.ledger_models import LedgerEntry, LedgerHold, LedgerTransfer
from wallets.tasks import hold_expire
from wallets.verify import verify


@pytest.fixture(autouse=True)
def _books_stay_whole(book: Book):
    yield
    assert verify().problems == []


def entries(account: int) -> list[tuple[int, int, int | None]]:
    return list(LedgerEntry.objects.filter(account_id=account).order_by("seq").values_list("seq", "amount", "balance"))


class TestPost:
    def test_moves_money_and_keeps_running_balances(self, book):
        payer, payee = book.account(1000), book.account()
        book.post(payer, payee, 300)
        book.post(payee, payer, 100)
        assert entries(payer) == [(1, 1000, 1000), (2, -300, 700), (3, 100, 800)]
        assert entries(payee) == [(1, 300, 300), (2, -100, 200)]
        assert book.state(payer) == (800, 0)

    def test_is_one_query(self, book, django_assert_num_queries):
        payer, payee = book.account(1000), book.account()
        with django_assert_num_queries(1):
            book.post(payer, payee, 300)

    def test_an_accumulating_account_has_entries_but_no_balance_row(self, book):
        payer = book.account(1000)
        world = book.world()
        assert book.state(world) == (0, 0)
        assert [(amount, balance) for _seq, amount, balance in entries(world)] == [(-1000, None)]
        assert book.state(payer) == (1000, 0)

    def test_between_two_accumulating_accounts(self, book):
        fees = ledger.system_account("test:fees", "EUR", now=book.now)
        done = book.post(book.world(), fees, 7)
        assert entries(fees) == [(done.id, 7, None)]

    @pytest.mark.parametrize("amount", [1001, 10**11])
    def test_refuses_more_than_there_is(self, book, amount):
        payer, payee = book.account(1000), book.account()
        for debit, credit in ((payer, payee), (payer, book.world())):
            with pytest.raises(InsufficientFunds):
                book.post(debit, credit, amount)
        assert book.state(payer) == (1000, 0)
        assert book.state(payee) == (0, 0)

    def test_takes_back_the_credit_when_the_debit_is_refused(self, book):
        payee, payer = book.account(), book.account(10)
        assert payee < payer  # the credited account is changed first
        with pytest.raises(InsufficientFunds):
            book.post(payer, payee, 11)
        assert book.state(payee) == (0, 0)
        book.post(payer, payee, 10)
        assert entries(payee) == [(1, 10, 10)]

    def test_a_floor_below_zero_is_an_overdraft(self, book):
        payer, payee = book.account(floor=-500), book.account()
        book.post(payer, payee, 500)
        with pytest.raises(InsufficientFunds):
            book.post(payer, payee, 1)

    def test_a_ceiling_stops_money_in_but_not_out(self, book):
        rich, other = book.account(900, ceiling=1000), book.account(1000)
        with pytest.raises(CeilingExceeded):
            book.post(other, rich, 101)
        ledger.account_limit(rich, ceiling=100)
        with pytest.raises(CeilingExceeded):
            book.post(other, rich, 1)
        book.post(rich, other, 100)
        assert book.state(other) == (1100, 0)

    @pytest.mark.parametrize("amount", [0, -1, 2**63, -(2**63), 10**15 + 1, 10**400])
    def test_refuses_an_amount_that_cannot_be(self, book, amount):
        payer, payee = book.account(1000), book.account()
        with pytest.raises(AmountInvalid):
            book.post(payer, payee, amount)

    @pytest.mark.parametrize("amount", [0, -1, 10**15 + 1])
    def test_the_function_itself_refuses_such_amounts(self, book, amount):
        payer, payee = book.account(1000), book.account()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT code FROM ledger_post(gen_random_uuid(), 0, %s, %s, %s, 'EUR', %s)",
                [payer, payee, amount, book.now],
            )
            assert cursor.fetchone() == ("amount_invalid",)

    def test_names_what_is_wrong_with_an_account(self, book):
        payer, yen = book.account(1000), book.account(currency="JPY")
        for debit, credit, error in (
            (payer, 10**17, AccountUnknown),
            (payer, 2**63, AccountUnknown),
            (-1, payer, AccountUnknown),
            (payer, payer, SameAccount),
            (payer, yen, CurrencyMismatch),
            (yen, payer, CurrencyMismatch),
            (payer, book.world("JPY"), CurrencyMismatch),
        ):
            with pytest.raises(error):
                book.post(debit, credit, 1)
        assert book.state(payer) == (1000, 0)

    def test_a_closed_account_takes_nothing(self, book):
        payer, closed = book.account(1000), book.account()
        ledger.account_close(closed, now=book.now)
        for debit, credit in ((payer, closed), (closed, payer)):
            with pytest.raises(AccountClosed):
                book.post(debit, credit, 1)
        with pytest.raises(AccountClosed):
            ledger.account_close(closed, now=book.now)

    def test_a_refusal_leaves_the_transaction_usable(self, book):
        payer, payee = book.account(10), book.account()
        with transaction.atomic():
            with pytest.raises(InsufficientFunds):
                book.post(payer, payee, 11)
            book.post(payer, payee, 10)
        assert book.state(payee) == (10, 0)

    def test_recorded_time_never_runs_backwards_on_an_account(self, book):
        a, b, c = book.account(100), book.account(), book.account()
        later = Book(book.now + timedelta(hours=1), book.keys)
        later.post(a, b, 10)
        done = book.post(b, c, 5)
        assert done.created_at == later.now
        assert book.post(c, a, 1).created_at == later.now

    def test_a_replay_gives_the_first_answer_even_when_it_would_be_refused_now(self, book):
        payer, payee = book.account(100), book.account()
        first = book.post(payer, payee, 100, key="once")
        again = book.post(payer, payee, 100, key="once")
        assert (again.id, again.created_at, again.replayed) == (first.id, first.created_at, True)
        assert not first.replayed
        assert book.state(payer) == (0, 0)

    def test_the_same_key_with_another_request_is_a_conflict(self, book):
        payer, payee = book.account(100), book.account()
        book.post(payer, payee, 10, key="once")
        for debit, credit, amount in ((payer, payee, 11), (payee, payer, 10), (payer, book.world(), 10)):
            with pytest.raises(IdempotencyConflict):
                book.post(debit, credit, amount, key="once")
        with pytest.raises(IdempotencyConflict):
            ledger.post(debit=payer, credit=payee, amount=Money(10, "EUR"), key="once", now=book.now, meta={"a": "b"})
        assert book.state(payee) == (10, 0)

    def test_keeps_ids_effective_time_and_meta(self, book):
        payer, payee = book.account(100), book.account()
        back = book.now - timedelta(days=3)
        done = ledger.post(
            debit=payer, credit=payee, amount=Money(1, "EUR"), key="k", now=book.now, effective_at=back, meta={"payment": "p1", "part": 2}
        )
        row = LedgerTransfer.objects.get(id=done.id)
        assert (row.effective_at, row.meta, row.kind) == (back, {"payment": "p1", "part": 2}, "posted")


class TestHold:
    def hold(self, book, debit, credit, amount, **extra):
        return ledger.hold(debit=debit, credit=credit, amount=Money(amount, "EUR"), key=extra.pop("key", book.key()), now=book.now, **extra)

    def test_lowers_what_is_available_at_once(self, book):
        payer, payee = book.account(100), book.account()
        self.hold(book, payer, payee, 60)
        assert book.state(payer) == (100, 60)
        with pytest.raises(InsufficientFunds):
            book.post(payer, payee, 41)
        with pytest.raises(InsufficientFunds):
            self.hold(book, payer, payee, 41)
        book.post(payer, payee, 40)

    def test_is_captured_in_parts(self, book):
        payer, payee = book.account(100), book.account()
        held = self.hold(book, payer, payee, 60)
        ledger.capture(hold=held.id, amount=Money(20, "EUR"), key="c1", now=book.now)
        assert book.state(payer) == (80, 40)
        with pytest.raises(HoldExceeded):
            ledger.capture(hold=held.id, amount=Money(41, "EUR"), key="c2", now=book.now)
        ledger.capture(hold=held.id, key="c3", now=book.now)
        assert book.state(payer) == (40, 0)
        assert book.state(payee) == (60, 0)
        with pytest.raises(HoldClosed):
            ledger.capture(hold=held.id, key="c4", now=book.now)
        assert ledger.capture(hold=held.id, key="c3", now=book.now).replayed

    def test_a_final_capture_gives_the_rest_back(self, book):
        payer, payee = book.account(100), book.account()
        held = self.hold(book, payer, payee, 60)
        done = ledger.capture(hold=held.id, amount=Money(20, "EUR"), final=True, key="c1", now=book.now)
        assert book.state(payer) == (80, 0)
        assert LedgerHold.objects.get(id=held.id).state == "captured"
        again = ledger.capture(hold=held.id, amount=Money(20, "EUR"), final=True, key="c1", now=book.now)
        assert (again.id, again.replayed) == (done.id, True)

    def test_can_be_captured_when_the_account_has_nothing_else(self, book):
        payer = book.account(60)
        held = self.hold(book, payer, book.world(), 60)
        ledger.capture(hold=held.id, key="c", now=book.now)
        assert book.state(payer) == (0, 0)

    def test_a_refused_capture_leaves_the_hold(self, book):
        payer, payee = book.account(60), book.account(ceiling=10)
        held = self.hold(book, payer, payee, 60)
        with pytest.raises(CeilingExceeded):
            ledger.capture(hold=held.id, key="c", now=book.now)
        assert book.state(payer) == (60, 60)

    def test_void_gives_all_back_once(self, book):
        payer = book.account(100)
        held = self.hold(book, payer, book.world(), 60)
        ledger.void(hold=held.id, key="v", now=book.now)
        assert book.state(payer) == (100, 0)
        assert ledger.void(hold=held.id, key="v", now=book.now).replayed
        with pytest.raises(HoldClosed):
            ledger.void(hold=held.id, key="v2", now=book.now)

    def test_expires(self, book):
        payer = book.account(100)
        end = book.now + timedelta(hours=1)
        held = self.hold(book, payer, book.world(), 60, expires_at=end)
        with pytest.raises(HoldOpen):
            ledger.expire(hold=held.id, now=book.now)
        with pytest.raises(HoldExpired):
            ledger.capture(hold=held.id, key="c", now=end)
        ledger.expire(hold=held.id, now=end)
        assert ledger.expire(hold=held.id, now=end).replayed
        assert book.state(payer) == (100, 0)
        with pytest.raises(HoldExpired):
            ledger.capture(hold=held.id, key="c", now=book.now)

    def test_due_work_expires_it(self, book, monkeypatch):
        payer = book.account(100)
        end = book.now + timedelta(hours=1)
        held = self.hold(book, payer, book.world(), 60, expires_at=end)
        work = DueWork.objects.get(kind="wallets.hold_expire", run_key=str(held.id))
        monkeypatch.setattr("core.clock.now", lambda: book.now)
        assert hold_expire(work) == end
        monkeypatch.setattr("core.clock.now", lambda: end)
        assert hold_expire(work) is None
        assert hold_expire(work) is None
        assert book.state(payer) == (100, 0)

    def test_replays_and_conflicts(self, book):
        payer = book.account(100)
        first = self.hold(book, payer, book.world(), 60, key="h")
        assert self.hold(book, payer, book.world(), 60, key="h").id == first.id
        assert book.state(payer) == (100, 60)
        with pytest.raises(IdempotencyConflict):
            self.hold(book, payer, book.world(), 50, key="h")
        with pytest.raises(IdempotencyConflict):
            book.post(payer, book.world(), 60, key="h")
        with pytest.raises(IdempotencyConflict):
            ledger.void(hold=first.id, key="h", now=book.now)

    def test_names_what_is_wrong(self, book):
        payer, yen = book.account(100), book.account(currency="JPY")
        with pytest.raises(AccountNotGuarded):
            self.hold(book, book.world(), payer, 1)
        with pytest.raises(CurrencyMismatch):
            self.hold(book, payer, yen, 1)
        with pytest.raises(SameAccount):
            self.hold(book, payer, payer, 1)
        with pytest.raises(HoldExpired):
            self.hold(book, payer, book.world(), 1, expires_at=book.now)
        with pytest.raises(HoldUnknown):
            ledger.capture(hold=10**17, key="x", now=book.now)
        with pytest.raises(HoldUnknown):
            ledger.void(hold=10**17, key="x", now=book.now)
        held = self.hold(book, payer, book.world(), 10)
        with pytest.raises(CurrencyMismatch):
            ledger.capture(hold=held.id, amount=Money(1, "JPY"), key="x", now=book.now)
        with pytest.raises(AmountInvalid):
            ledger.capture(hold=held.id, amount=Money(0, "EUR"), key="x", now=book.now)


class TestReverse:
    def test_in_parts_never_more_than_the_original(self, book):
        payer, payee = book.account(100), book.account(50)
        done = book.post(payer, payee, 60, key="pay")
        ledger.reverse(transfer=done.id, amount=Money(20, "EUR"), key="r1", now=book.now)
        with pytest.raises(ReversalExceeded):
            ledger.reverse(transfer=done.id, amount=Money(41, "EUR"), key="r2", now=book.now)
        ledger.reverse(original_key="pay", key="r3", now=book.now)
        assert book.state(payer) == (100, 0)
        assert book.state(payee) == (50, 0)
        with pytest.raises(ReversalExceeded):
            ledger.reverse(original_key="pay", key="r4", now=book.now)
        assert ledger.reverse(original_key="pay", key="r3", now=book.now).replayed

    def test_needs_the_money_to_be_there(self, book):
        payer, payee = book.account(100), book.account()
        done = book.post(payer, payee, 60)
        book.post(payee, payer, 10)
        with pytest.raises(InsufficientFunds):
            ledger.reverse(transfer=done.id, key="r", now=book.now)
        ledger.reverse(transfer=done.id, amount=Money(50, "EUR"), key="r", now=book.now)

    def test_a_capture_can_be_reversed_a_hold_and_a_reversal_cannot(self, book):
        payer, payee = book.account(100), book.account()
        held = ledger.hold(debit=payer, credit=payee, amount=Money(60, "EUR"), key="h", now=book.now)
        with pytest.raises(NotReversible):
            ledger.reverse(transfer=held.id, key="r", now=book.now)
        captured = ledger.capture(hold=held.id, key="c", now=book.now)
        undone = ledger.reverse(transfer=captured.id, key="r", now=book.now)
        with pytest.raises(NotReversible):
            ledger.reverse(transfer=undone.id, key="r2", now=book.now)
        with pytest.raises(TransferUnknown):
            ledger.reverse(original_key="never", key="r3", now=book.now)
        with pytest.raises(CurrencyMismatch):
            ledger.reverse(transfer=captured.id, amount=Money(1, "JPY"), key="r4", now=book.now)
        assert book.state(payer) == (100, 0)

    def test_the_key_of_another_request_conflicts(self, book):
        payer, payee = book.account(100), book.account()
        done = book.post(payer, payee, 60, key="pay")
        with pytest.raises(IdempotencyConflict):
            ledger.reverse(transfer=done.id, key="pay", now=book.now)


class TestAccounts:
    def test_a_system_account_is_one_per_code_and_currency(self, book):
        first = ledger.system_account("fees", "EUR", now=book.now)
        assert ledger.system_account("fees", "EUR", now=book.now) == first
        assert ledger.system_account("fees", "JPY", now=book.now) != first

    def test_limits_are_refused_where_they_make_no_sense(self, book):
        account = book.account(100)
        with pytest.raises(InsufficientFunds):
            ledger.account_limit(account, floor=101)
        with pytest.raises(AccountNotGuarded):
            ledger.account_limit(book.world(), floor=0)
        with pytest.raises(AccountUnknown):
            ledger.account_limit(10**17, floor=0)
        with pytest.raises(AmountInvalid):
            ledger.account_limit(account, ceiling=2**62)
        ledger.account_limit(account, floor=100)
        with pytest.raises(InsufficientFunds):
            book.post(account, book.world(), 1)

    def test_only_an_empty_account_can_be_closed(self, book):
        account = book.account(100)
        with pytest.raises(AccountNotEmpty):
            ledger.account_close(account, now=book.now)
        with pytest.raises(AccountNotEmpty):
            ledger.account_close(book.world(), now=book.now)
        with pytest.raises(AccountUnknown):
            ledger.account_close(10**17, now=book.now)

    def test_every_refusal_of_the_functions_has_its_error(self):
        for code in (
            "insufficient_funds ceiling_exceeded account_closed account_unknown balance_not_zero account_not_guarded same_account"
            " hold_unknown hold_closed hold_expired hold_open hold_exceeded transfer_unknown not_reversible reversal_exceeded"
            " amount_invalid currency_mismatch idempotency_conflict"
        ).split():
            error = ledger.refusal(code)
            assert isinstance(error, HubError)
            assert error.code == code


class TestKeyId:
    def test_is_the_uuid_itself_or_a_digest_of_the_text(self):
        named = uuid7()
        assert ledger.key_id(named) == named
        assert ledger.key_id("fees:2026") == ledger.key_id("fees:2026") != ledger.key_id("fees:2027")

    def test_keeps_the_time_of_a_named_uuid7_in_front(self):
        named = uuid7()
        first, second = ledger.key_id(f"payment:{named}"), ledger.key_id(f"payment:{named}:hold")
        assert first.bytes[:6] == second.bytes[:6] == named.bytes[:6]
        assert first != second
        assert first != named
