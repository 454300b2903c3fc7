from __future__ import annotations

import hashlib
import random

import psycopg2
import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money
from tests.unit.wallets.conftest import Book, as_owner
from wallets import ledger
from wallets.ledger_models import LedgerTransfer
from wallets.seals import selectors, services, tree
from wallets.seals.errors import NotSealedYet, SealNotFound
from wallets.seals.models import LedgerSeal

TABLES = ("ledger_seal", "ledger_seal_block", "ledger_seal_state")


def head() -> LedgerSeal:
    found = selectors.head()
    assert found is not None
    return found


def hashes(count: int) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + number.to_bytes(4, "big")).digest() for number in range(count)]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word: split at the largest power of two below the number of leaves."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


class TestTree:
    @given(st.integers(1, 300))
    def test_pairs_come_to_the_root_of_the_definition(self, count):
        assert tree.root_of(hashes(count)) == by_definition(hashes(count))

    @given(st.integers(1, 300))
    def test_grows_leaf_by_leaf_to_the_same_root(self, count):
        growing = tree.Growing()
        for leaf in hashes(count):
            growing.add(leaf)
        assert (growing.size, growing.root) == (count, tree.root_of(hashes(count)))

    @given(st.data(), st.integers(1, 300))
    def test_every_path_leads_to_the_root_and_no_other_does(self, data, count):
        leaves = hashes(count)
        place = data.draw(st.integers(0, count - 1))
        path = tree.path_in(leaves, place)
        assert tree.root_from(leaves[place], place, count, path) == tree.root_of(leaves)
        assert tree.root_from(leaves[place], count, count, path) is None
        assert tree.root_from(leaves[place], place, count, [*path, leaves[0]]) is None
        if path:
            assert tree.root_from(leaves[place], place, count, path[:-1]) is None
            wrong = data.draw(st.integers(0, len(path) - 1))
            bent = [tree.EMPTY if at == wrong else found for at, found in enumerate(path)]
            assert tree.root_from(leaves[place], place, count, bent) != tree.root_of(leaves)


def post_many(book: Book, count: int) -> list[int]:
    payer, payee = book.account(10_000_000), book.account()
    return [book.post(payer, payee, 1 + number % 7).id for number in range(count)]


def leaves() -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_seal_leaves(0, %s)", [2**62])
        packed = bytes(cursor.fetchone()[0])
    return [packed[start : start + 32] for start in range(0, len(packed), 32)]


class TestSealing:
    def test_nothing_new_makes_no_seal(self, book, now):
        assert services.seal(now=now) == 0
        assert selectors.head() is None
        book.account(100)
        assert services.seal(now=now) == 1
        assert services.seal(now=now) == 0
        assert LedgerSeal.objects.count() == 1

    def test_every_root_is_over_all_transfers_so_far(self, book, now):
        choose = random.Random(3)
        payer, payee = book.account(10_000_000), book.account()
        for _ in range(12):
            for _ in range(choose.choice((1, 2, 90, 256))):
                book.post(payer, payee, 1)
            services.seal(now=now)
            found = head()
            assert found.size == LedgerTransfer.objects.count()
            assert found.last == LedgerTransfer.objects.latest("id").id
            assert bytes(found.root) == by_definition(leaves())

    @pytest.mark.parametrize("limit", [1, 7, 256, 300, 512])
    def test_small_steps_come_to_the_same_root(self, book, now, limit):
        post_many(book, 40 if limit == 1 else 700)
        services.seal(now=now, limit=limit)
        assert bytes(head().root) == by_definition(leaves())

    def test_the_chain_is_over_the_seal_and_the_one_before(self, book, now):
        before = bytes(32)
        for number in (1, 2, 3):
            post_many(book, 3)
            services.seal(now=now)
            seal = selectors.seal_get(number)
            micros = int((now.timestamp() - 946_684_800) * 1_000_000)
            body = b"".join(value.to_bytes(8, "big") for value in (seal.number, seal.size, seal.last, micros))
            assert bytes(seal.chain) == hashlib.sha256(b"\x02" + before + body + bytes(seal.root)).digest()
            before = bytes(seal.chain)

    def test_all_kinds_of_transfers_are_sealed(self, book, now):
        payer, payee = book.account(1000), book.account()
        done = book.post(payer, payee, 300)
        ledger.reverse(transfer=done.id, amount=Money(100, "EUR"), key="r", now=now, effective_at=now)
        held = ledger.hold(debit=payer, credit=payee, amount=Money(60, "EUR"), key="h", now=now, meta={"payment": "x"})
        ledger.capture(hold=held.id, amount=Money(20, "EUR"), key="c", now=now, final=True)
        assert services.seal(now=now) == LedgerTransfer.objects.count() == 6

    def test_a_seal_that_is_not_there(self, db):
        with pytest.raises(SealNotFound):
            selectors.seal_get(1)

    def test_refuses_stricter_transactions(self, committed_book, now):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            with pytest.raises(DatabaseError, match="read committed"):
                services.seal(now=now)
            connection.set_rollback(True)


class TestProofs:
    @pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 700])
    def test_every_transfer_has_a_path_to_the_head(self, book, now, count):
        payer = book.account()
        ids = [book.post(book.world(), payer, 1).id for _ in range(count)]
        services.seal(now=now)
        root = by_definition(leaves())
        for transfer in {ids[0], ids[-1], ids[count // 2], ids[min(256, count - 1)], ids[min(511, count - 1)]}:
            proof = selectors.proof_of(transfer)
            path = [bytes.fromhex(found) for found in proof["path"]]
            leaf = bytes.fromhex(proof["leaf"]["hash"])
            assert tree.root_from(leaf, proof["leaf"]["index"], count, path) == root

    def test_is_a_few_queries_however_many_there_are(self, book, now, django_assert_max_num_queries):
        ids = post_many(book, 600)
        services.seal(now=now)
        with django_assert_max_num_queries(5):
            selectors.proof_of(ids[100])

    def test_too_new_says_so(self, book, now):
        done = book.post(book.world(), book.account(), 5)
        with pytest.raises(NotSealedYet):
            selectors.proof_of(done.id)

    def test_meta_that_names_more_than_the_payment_stays_ours(self, book, now):
        payer, payee = book.account(100), book.account()
        done = ledger.post(debit=payer, credit=payee, amount=Money(5, "EUR"), key="k", now=now, meta={"payment": "p", "case": "c"})
        other = ledger.post(debit=payer, credit=payee, amount=Money(5, "EUR"), key="l", now=now, meta={"payment": "p"})
        services.seal(now=now)
        hidden, shown = selectors.proof_of(done.id)["transfer"], selectors.proof_of(other.id)["transfer"]
        assert hidden["meta"] is None
        assert len(hidden["meta_sha256"]) == 64
        assert shown["meta"] == '{"payment": "p"}'


class TestUnderWay:
    """No transfer is ever skipped, whatever was under way while the sealer ran."""

    def test_a_transaction_held_open_across_a_sealing_is_not_skipped(self, committed_book, now):
        book = committed_book
        # Accounts of its own, or the later one would wait for it anyway.
        payer, payee, lone = book.account(1000), book.account(), book.account(100)
        services.seal(now=now)
        sealed = head().size
        with _other() as other:
            other.execute("BEGIN")
            other.execute(_POST, ["open", lone, book.world()])
            held = other.fetchone()[0]
            later = book.post(payer, payee, 5).id
            assert later > held
            for _ in range(3):
                services.seal(now=now)
            # The later one waits too: sealing it now would put the earlier one behind it for ever.
            assert head().last < held
            with pytest.raises(NotSealedYet):
                selectors.proof_of(later)
            other.execute("COMMIT")
        assert services.seal(now=now) == 2
        assert head().size == sealed + 2 == LedgerTransfer.objects.count()
        assert selectors.proof_of(held)["leaf"]["index"] + 1 == selectors.proof_of(later)["leaf"]["index"]

    def test_one_that_took_its_id_and_wrote_nothing_yet_is_waited_for(self, committed_book, now):
        """Between taking the id and writing the row there is no transaction id that anybody could look for."""
        book = committed_book
        with as_owner() as owner, owner.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT nextval('ledger_transfer_id_seq')")
            book.post(book.world(), book.account(), 5)
            assert services.seal(now=now) == 0
            cursor.execute("ROLLBACK")
        assert services.seal(now=now) == 1

    def test_one_that_is_given_up_leaves_a_gap_and_nothing_else(self, committed_book, now):
        book = committed_book
        payer, payee = book.account(1000), book.account()
        with _other() as other:
            other.execute("BEGIN")
            other.execute(_POST, ["open", payer, payee])
            other.execute("ROLLBACK")
        done = book.post(payer, payee, 5)
        services.seal(now=now)
        assert (head().size, head().last) == (LedgerTransfer.objects.count(), done.id)

    def test_who_only_reads_holds_nothing_up(self, committed_book, now):
        with _other() as other:
            other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            other.execute("SELECT count(*) FROM ledger_transfer")
            done = committed_book.post(committed_book.world(), committed_book.account(), 5)
            services.seal(now=now)
            assert head().last == done.id

    def test_others_that_come_and_go_let_the_mark_move_on(self, committed_book, now):
        """There is always somebody under way, but never the same one for long."""
        book = committed_book
        payer, other_payer = book.account(1000), book.account(50)
        with _other() as one, _other() as another:
            one.execute("BEGIN")
            one.execute(_POST, ["a", payer, book.world()])
            services.seal(now=now)
            one_id = LedgerTransfer.objects.latest("id").id + 1
            another.execute("BEGIN")
            another.execute(_POST, ["b", other_payer, book.world()])
            one.execute("COMMIT")
            services.seal(now=now)
            assert head().last == one_id
            another.execute("COMMIT")


_POST = "SELECT transfer FROM ledger_post(encode(substr(sha256(%s::bytea), 1, 16), 'hex')::uuid, 0, %s, %s, 5, 'EUR', '2026-03-11 12:00Z')"


class _other:
    """Another connection of the application."""

    def __enter__(self):
        from tests import databases

        self.connection = psycopg2.connect(databases.url_for(connection.settings_dict["NAME"]))
        self.connection.autocommit = True
        return self.connection.cursor()

    def __exit__(self, *_):
        self.connection.close()


class TestRights:
    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("how", ["UPDATE {} SET number = number", "DELETE FROM {}", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES"])
    def test_the_application_may_only_read(self, db, table, how):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(how.format(table))

    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("how", ["DELETE FROM {}", "TRUNCATE {}"])
    def test_the_owner_is_refused_too(self, committed_book, table, how):
        with as_owner() as owner, pytest.raises(psycopg2.errors.IntegrityError), owner.cursor() as cursor:
            cursor.execute(how.format(table))
