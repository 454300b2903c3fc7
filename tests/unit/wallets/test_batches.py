"""Batches do what the same single transfers would do, in one call."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import HubError
from core.ids import uuid7
from core.money import AMOUNT_MAX, Money
from wallets import ledger
from wallets.errors import BatchRefused, BatchTooLarge
from wallets.ledger import Item
from wallets.ledger.calls import meta_pack, post_hash, request_hash
from wallets.ledger_models import LedgerAccount, LedgerEntry, LedgerTransfer
from wallets.verify import verify


def euros(amount):
    return Money(amount, "EUR")


@pytest.fixture
def post(book):
    def call(*items, mode="independent"):
        return ledger.post_batch([Item(debit, credit, euros(amount), key) for debit, credit, amount, key in items], mode=mode, now=book.now)

    yield call
    assert verify().problems == []


class TestIndependent:
    def test_every_item_is_done_and_answers_in_order(self, book, post):
        one, two, world = book.account(100), book.account(100), book.world()
        found = post((one, two, 10, "a"), (two, world, 20, "b"), (one, world, 30, "c"))
        assert found.code == "ok"
        assert found.codes == ["ok", "ok", "ok"]
        assert [LedgerTransfer.objects.get(id=transfer).amount for transfer in found.transfers if transfer] == [10, 20, 30]
        assert (book.state(one), book.state(two)) == ((60, 0), (90, 0))

    def test_one_account_many_times_keeps_its_sequence_without_gaps(self, book, post):
        one, two = book.account(100), book.account(100)
        found = post(*((one, two, 1, f"k{number}") if number % 3 else (two, one, 2, f"k{number}") for number in range(30)))
        entries = LedgerEntry.objects.filter(account=one).order_by("seq")
        assert [entry.seq for entry in entries] == list(range(1, 32))
        assert [entry.transfer_id for entry in entries][1:] == found.transfers
        assert book.state(one) == (100 - 20 + 20, 0)

    def test_a_refused_item_leaves_the_others_alone(self, book, post):
        poor, rich, world = book.account(10), book.account(100), book.world()
        found = post((poor, world, 11, "a"), (rich, world, 20, "b"), (poor, world, 10, "c"))
        assert found.codes == ["insufficient_funds", "ok", "ok"]
        assert found.outcomes[0].transfer is None
        assert (book.state(poor), book.state(rich)) == ((0, 0), (80, 0))

    def test_money_that_comes_in_before_can_be_spent_after(self, book, post):
        empty, rich = book.account(), book.account(100)
        assert post((empty, rich, 5, "a"), (rich, empty, 5, "b"), (empty, rich, 5, "c")).codes == ["insufficient_funds", "ok", "ok"]

    def test_a_ceiling_is_judged_in_the_items_order(self, book, post):
        low, rich = book.account(ceiling=10), book.account(100)
        assert post((rich, low, 8, "a"), (rich, low, 3, "b"), (low, rich, 8, "c"), (rich, low, 10, "d")).codes == [
            "ok",
            "ceiling_exceeded",
            "ok",
            "ok",
        ]

    def test_held_money_cannot_be_spent(self, book, post):
        payer, world = book.account(100), book.world()
        ledger.hold(debit=payer, credit=world, amount=euros(60), key=book.key(), now=book.now)
        assert post((payer, world, 40, "a"), (payer, world, 1, "b")).codes == ["ok", "insufficient_funds"]

    def test_a_key_twice_in_one_batch_is_a_repetition(self, book, post):
        payer, world = book.account(100), book.world()
        found = post((payer, world, 10, "a"), (payer, world, 10, "a"), (payer, world, 11, "a"))
        assert found.codes == ["ok", "ok", "idempotency_conflict"]
        assert found.transfers[0] == found.transfers[1]
        assert [outcome.replayed for outcome in found.outcomes] == [False, True, False]
        assert book.state(payer) == (90, 0)

    def test_a_refused_item_uses_no_key_up(self, book, post):
        payer, rich, world = book.account(), book.account(100), book.world()
        found = post((payer, world, 10, "a"), (rich, payer, 10, "b"), (payer, world, 10, "a"))
        assert found.codes == ["insufficient_funds", "ok", "ok"]
        assert [outcome.replayed for outcome in found.outcomes] == [False, False, False]

    def test_a_whole_batch_again_answers_the_same(self, book, post):
        payer, world = book.account(100), book.world()
        items = [(payer, world, 10, f"k{number}") for number in range(5)]
        first = post(*items)
        again = ledger.post_batch(
            [Item(debit, credit, euros(amount), key) for debit, credit, amount, key in items],
            mode="independent",
            now=book.now + timedelta(days=1),
        )
        assert again.transfers == first.transfers
        assert all(outcome.replayed and outcome.created_at == book.now for outcome in again.outcomes)
        assert book.state(payer) == (50, 0)

    def test_a_single_transfer_again_in_a_batch_and_the_other_way_round(self, book, post):
        payer, world = book.account(100), book.world()
        single = ledger.post(debit=payer, credit=world, amount=euros(5), key="single", now=book.now)
        found = post((payer, world, 5, "single"), (payer, world, 6, "batch"))
        assert found.transfers[0] == single.id
        again = ledger.post(debit=payer, credit=world, amount=euros(6), key="batch", now=book.now)
        assert (again.id, again.replayed) == (found.transfers[1], True)

    def test_hot_accounts_have_entries_only(self, book, post):
        one, world = book.account(100), book.world()
        found = post((world, one, 1, "a"), (one, world, 2, "b"))
        rows = LedgerEntry.objects.filter(account=world, transfer__in=found.transfers).order_by("seq")
        assert [(row.seq, row.balance) for row in rows] == [(transfer, None) for transfer in found.transfers]

    def test_a_clock_behind_is_set_to_the_accounts_last_moment(self, book, post):
        one, two, world = book.account(100), book.account(100), book.world()
        late = book.now + timedelta(hours=1)
        ledger.post(debit=one, credit=world, amount=euros(1), key="late", now=late)
        found = post((one, two, 1, "a"))
        assert found.outcomes[0].created_at == late
        assert LedgerAccount.objects.get(id=two).last_at == late

    def test_metas_and_effective_times_are_kept(self, book):
        one, world, before = book.account(100), book.world(), book.now - timedelta(days=3)
        items = [
            Item(one, world, euros(1), "a", meta={"note": 'with "quotes", a \\ and a {brace}'}),
            Item(one, world, euros(1), "b", effective_at=before),
        ]
        found = ledger.post_batch(items, mode="independent", now=book.now)
        first, second = (LedgerTransfer.objects.get(id=transfer) for transfer in found.transfers if transfer)
        assert (first.meta, first.effective_at) == ({"note": 'with "quotes", a \\ and a {brace}'}, None)
        assert (second.meta, second.effective_at) == (None, before)


class TestAtomic:
    def test_all_or_none(self, book, post):
        payer, world = book.account(15), book.world()
        found = post((payer, world, 10, "a"), (payer, world, 10, "b"), (payer, world, 5, "c"), mode="atomic")
        assert found.code == "batch_refused"
        assert found.codes == ["batch_refused", "insufficient_funds", "batch_refused"]
        assert found.transfers == [None, None, None]
        assert book.state(payer) == (15, 0)
        assert post((payer, world, 10, "a"), (payer, world, 5, "c"), mode="atomic").code == "ok"

    def test_what_was_done_before_counts_as_done(self, book, post):
        payer, world = book.account(15), book.world()
        before = post((payer, world, 10, "a"))
        found = post((payer, world, 10, "a"), (payer, world, 5, "b"), mode="atomic")
        assert found.code == "ok"
        assert found.transfers[0] == before.transfers[0]

    def test_a_journal_is_found_by_its_first_transfer(self, book):
        employer, world = book.account(100), book.world()
        people = [book.account() for _ in range(3)]
        items = [Item(employer, person, euros(10), f"pay:{person}") for person in people] + [Item(employer, world, euros(1), "fee")]
        done = ledger.journal_post(items, now=book.now)
        assert [row.id for row in ledger.journal_transfers(done.transfers[0] or 0)] == done.transfers
        assert [row.id for row in ledger.journal_transfers(done.transfers[2] or 0)] == done.transfers
        assert ledger.journal_post(items, now=book.now).transfers == done.transfers
        assert verify().problems == []

    def test_a_journal_that_cannot_be_done_names_each_item(self, book):
        payer, world = book.account(5), book.world()
        with pytest.raises(BatchRefused) as refused:
            ledger.journal_post([Item(payer, world, euros(5), "a"), Item(payer, world, euros(5), "b")], now=book.now)
        assert refused.value.extra == {"codes": ["batch_refused", "insufficient_funds"]}
        assert book.state(payer) == (5, 0)


class TestBadInput:
    def test_each_has_its_code_and_a_poisoned_item_spoils_nothing(self, book, post):
        one, two, world, yen = book.account(100), book.account(), book.world(), book.account(currency="JPY")
        closed = book.account()
        ledger.account_close(closed, now=book.now)
        found = post(
            (one, 10**9, 1, "a"),
            (0, one, 1, "b"),
            (2**40, one, 1, "c"),
            (one, yen, 1, "d"),
            (one, two, 0, "e"),
            (one, two, -5, "f"),
            (one, two, AMOUNT_MAX + 1, "g"),
            (one, two, 2**80, "h"),
            (one, one, 1, "i"),
            (one, closed, 1, "j"),
            (closed, one, 1, "k"),
            (one, world, 1, "l"),
        )
        assert found.codes == [
            "account_unknown",
            "account_unknown",
            "account_unknown",
            "currency_mismatch",
            "amount_not_positive",
            "amount_not_positive",
            "amount_too_large",
            "amount_too_large",
            "same_account",
            "account_closed",
            "account_closed",
            "ok",
        ]
        assert book.state(one) == (99, 0)

    @pytest.mark.parametrize("mode", ["atomic", "independent"])
    def test_too_many_items_are_refused_by_name(self, book, mode):
        item = Item(book.account(1), book.world(), euros(1), "a")
        with pytest.raises(BatchTooLarge) as refused:
            ledger.post_batch([item] * 100_000, mode=mode, now=book.now)
        assert refused.value.code == "batch_too_large"
        assert refused.value.extra == {"maximum": ledger.BATCH_MAX}

    def test_as_many_as_there_may_be_are_served(self, book, post):
        one, two = book.account(ledger.BATCH_MAX), book.account()
        assert post(*((one, two, 1, f"k{number}") for number in range(ledger.BATCH_MAX))).codes == ["ok"] * ledger.BATCH_MAX
        assert book.state(two) == (ledger.BATCH_MAX, 0)

    def test_nothing_is_a_batch_too(self, post, book):
        assert post().outcomes == []


places, amounts = st.integers(0, 4), st.sampled_from([1, 2, 5, 30, 60])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    items=st.lists(st.tuples(places, places, amounts, st.integers(0, 12)), min_size=1, max_size=25),
    floors=st.tuples(*[st.sampled_from([0, -20])] * 3),
)
def test_a_batch_does_what_single_transfers_do(book, items, floors):
    def accounts():
        made = [book.account(40, floor=floor, ceiling=90) for floor in floors]
        return [*made, book.account(40, currency="JPY"), book.world()]

    names, batch, single = uuid7(), accounts(), accounts()

    def item(who, number, debit, credit, amount, key):
        return Item(who[debit], who[credit], euros(amount), f"{names}:{number}:{key}")

    found = ledger.post_batch([item(batch, 1, *asked) for asked in items], mode="independent", now=book.now)
    for outcome, asked in zip(found.outcomes, items, strict=True):
        one = item(single, 2, *asked)
        assert (outcome.code, outcome.replayed) == single_answer(one, book.now)
    assert [book.state(account) for account in batch[:4]] == [book.state(account) for account in single[:4]]
    assert verify().problems == []


def single_answer(item, now):
    try:
        return "ok", ledger.post(debit=item.debit, credit=item.credit, amount=item.amount, key=item.key, now=now).replayed
    except HubError as refused:
        return refused.code, False


def test_the_written_out_hash_is_the_hash(now):
    meta = meta_pack({"é": 'a "quoted" \\ thing', "n": None, "i": 3})
    assert post_hash(1, 2, 3, "EUR", now, meta) == request_hash("post", 1, 2, 3, "EUR", now, meta)
    assert post_hash(1, 2, 3, "EUR", None, None) == request_hash("post", 1, 2, 3, "EUR", None, None)
