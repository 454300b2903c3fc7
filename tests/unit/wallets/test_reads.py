from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.money import Money
from wallets import ledger
from wallets.errors import AccountClosed, AccountNotEmpty, AccountOpen, AccountUnknown
from wallets.ledger_models import LedgerAccount


def euros(amount):
    return Money(amount, "EUR")


class TestAccountState:
    def test_posted_and_held_are_of_one_moment(self, book):
        account = book.account(100, floor=-20, ceiling=500)
        ledger.hold(debit=account, credit=book.world(), amount=euros(30), key="h", now=book.now)
        found = ledger.account_state(account)
        assert (found.posted, found.held, found.available, found.ceiling) == (euros(100), euros(30), euros(90), euros(500))

    @pytest.mark.parametrize("account", [0, -1, 10**8, 2**40])
    def test_an_unknown_account_has_its_error(self, db, account):
        with pytest.raises(AccountUnknown):
            ledger.account_state(account)

    def test_a_system_account_has_none(self, book):
        with pytest.raises(AccountUnknown):
            ledger.account_state(book.world())


class TestClosing:
    def test_a_closed_account_takes_nothing_and_can_be_archived(self, book):
        account, other = book.account(floor=-100), book.account(10)
        with pytest.raises(AccountOpen):
            ledger.account_archive(account)
        ledger.account_close(account, now=book.now)
        for debit, credit in ((account, other), (other, account)):
            with pytest.raises(AccountClosed):
                book.post(debit, credit, 1)
        ledger.account_archive(account)
        ledger.account_archive(account)
        assert LedgerAccount.objects.get(id=account).state == "archived"
        with pytest.raises(AccountClosed):
            book.post(other, account, 1)

    def test_money_keeps_an_account_open(self, book):
        with pytest.raises(AccountNotEmpty):
            ledger.account_close(book.account(1), now=book.now)


class TestMeta:
    def test_entries_are_found_by_part_of_their_meta_page_by_page(self, book):
        one, other, world = book.account(100), book.account(100), book.world()
        for number in range(6):
            ledger.post(
                debit=one,
                credit=world if number % 2 else other,
                amount=euros(1),
                key=f"k{number}",
                now=book.now,
                meta={"order": number % 2, "n": number},
            )
        first = ledger.entries_find(one, meta={"order": 1}, limit=2)
        assert [(entry.transfer.meta or {})["n"] for entry in first] == [5, 3]
        assert [(entry.transfer.meta or {})["n"] for entry in ledger.entries_find(one, meta={"order": 1}, before_seq=first[-1].seq)] == [1]
        assert ledger.entries_find(other, meta={"order": 1}) == []
        found = ledger.transfers_find({"n": 4})
        assert [(transfer.meta or {})["order"] for transfer in found] == [0]
        assert ledger.transfers_find({"n": 4}, before_id=found[0].id) == []


movements = st.lists(
    st.tuples(st.booleans(), st.integers(1, 20), st.integers(0, 10), st.none() | st.integers(-8, 12)), min_size=1, max_size=12
)


class TestBackDated:
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(moves=movements, batched=st.booleans(), guarded=st.booleans(), at=st.integers(-8, 12), known=st.none() | st.integers(0, 12))
    def test_a_balance_counts_what_took_effect_and_was_known(self, book, moves, batched, guarded, at, known):
        other = book.account(floor=-(10**6))
        account = book.account(floor=-(10**6)) if guarded else ledger.system_account(f"dated:{other}", "EUR", now=book.now)
        facts, recorded = [], book.now
        for outgoing, amount, later, effective in moves:
            recorded = max(recorded, book.now + timedelta(minutes=later))
            when = None if effective is None else book.now + timedelta(minutes=effective)
            debit, credit = (account, other) if outgoing else (other, account)
            item = ledger.Item(debit, credit, euros(amount), book.key(), when)
            if batched:
                assert ledger.post_batch([item], mode="atomic", now=recorded).code == "ok"
            else:
                ledger.post(debit=debit, credit=credit, amount=euros(amount), key=item.key, now=recorded, effective_at=when)
            facts.append((recorded, when or recorded, -amount if outgoing else amount))
        moment = book.now + timedelta(minutes=at)
        seen = None if known is None else book.now + timedelta(minutes=known)
        expected = sum(amount for made, counts, amount in facts if counts <= moment and (seen is None or made <= seen))
        assert ledger.balance_effective(account, moment, known_at=seen) == expected
        assert ledger.balance_known(account, moment) == sum(amount for made, _counts, amount in facts if made <= moment)

    def test_a_hold_that_was_given_back_never_counted(self, book):
        account, world, before = book.account(100), book.world(), book.now - timedelta(days=2)
        hold = ledger.hold(debit=account, credit=world, amount=euros(60), key="h", now=book.now)
        ledger.capture(hold=hold.id, amount=euros(10), key="c", now=book.now, effective_at=before, final=True)
        assert ledger.balance_effective(account, before) == -10
        assert ledger.balance_effective(account, book.now) == 90
