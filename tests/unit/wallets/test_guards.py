"""What the database itself refuses, whoever asks."""

from __future__ import annotations

import psycopg2
import pytest
from django.db import DatabaseError, connection, transaction

from core.money import Money
from tests.unit.wallets.conftest import Book, as_owner
from wallets import ledger
from wallets.errors import InsufficientFunds
from wallets.verify import verify

_ENTRIES = "INSERT INTO ledger_entry (account, seq, transfer, amount, balance, created_at, currency) VALUES"
TABLES = ("ledger_account", "ledger_transfer", "ledger_entry", "ledger_hold")


@pytest.fixture
def busy(committed_book: Book) -> Book:
    """A ledger with a bit of everything in it."""
    book = committed_book
    payer, payee = book.account(1000), book.account(50)
    done = book.post(payer, payee, 300)
    ledger.reverse(transfer=done.id, amount=Money(100, "EUR"), key="r", now=book.now)
    held = ledger.hold(debit=payer, credit=payee, amount=Money(60, "EUR"), key="h", now=book.now)
    ledger.capture(hold=held.id, amount=Money(20, "EUR"), key="c", now=book.now)
    ledger.post(debit=book.world("JPY"), credit=book.account(currency="JPY"), amount=Money(7, "JPY"), key="y", now=book.now)
    assert verify().ok
    return book


class TestApplicationRole:
    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize(
        "how",
        [
            "UPDATE {} SET {} = {}",
            "DELETE FROM {0}",
            "TRUNCATE {0}",
            "INSERT INTO {0} DEFAULT VALUES",
            "DROP TABLE {0}",
            "ALTER TABLE {0} DISABLE TRIGGER ALL",
        ],
    )
    def test_may_only_read(self, db, table, how):
        column = {"ledger_account": "posted", "ledger_hold": "remaining"}.get(table, "amount")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(how.format(table, column, column))

    def test_may_not_call_the_inner_functions(self, db):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT proname, has_function_privilege(oid, 'EXECUTE'), prosecdef, proconfig, EXISTS"
                " (SELECT FROM aclexplode(proacl) WHERE grantee = 0) FROM pg_proc WHERE proname ~ '^_?ledger_'"
            )
            rows = cursor.fetchall()
        assert len(rows) > 15
        for name, allowed, definer, config, public in rows:
            assert not public, name
            assert allowed == name.startswith("ledger_"), name
            if name.startswith("ledger_"):
                assert definer, name
                assert "search_path=pg_catalog, public, pg_temp" in config, name

    def test_a_table_of_its_own_does_not_fool_the_functions(self, book):
        payer = book.account(10)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE ledger_account AS SELECT * FROM public.ledger_account")
            cursor.execute("UPDATE pg_temp.ledger_account SET posted = 1000000")
        with pytest.raises(InsufficientFunds):
            book.post(payer, book.world(), 11)


class TestOwner:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger_transfer SET amount = amount",
            "DELETE FROM ledger_transfer WHERE false",
            "TRUNCATE ledger_transfer",
            "UPDATE ledger_entry SET amount = amount",
            "DELETE FROM ledger_entry",
            "TRUNCATE ledger_entry",
            "DELETE FROM ledger_account",
            "TRUNCATE ledger_account CASCADE",
            "UPDATE ledger_account SET currency = 'USD'",
            "DELETE FROM ledger_hold",
            "TRUNCATE ledger_hold",
            _ENTRIES + " (1, 100, 1, 5, 5, now(), 'EUR')",
            _ENTRIES + " (1, 100, 1, 5, 5, now(), 'EUR'), (2, 100, 1, -5, 5, now(), 'USD')",
            _ENTRIES + " (1, 100, 1, 5, 5, now(), 'EUR'), (2, 100, 1, -4, 5, now(), 'EUR')",
            "INSERT INTO ledger_transfer (key, request_hash, debit, credit, amount, created_at, kind, currency)"
            " VALUES (gen_random_uuid(), 0, 1, 2, 0, now(), 'posted', 'EUR')",
        ],
    )
    def test_is_refused_too(self, busy, statement):
        with as_owner() as owner, pytest.raises(psycopg2.errors.IntegrityError), owner.cursor() as cursor:
            cursor.execute(statement)
        assert verify().ok


class TestVerify:
    @pytest.mark.parametrize(
        ("tampering", "kind"),
        [
            ("UPDATE ledger_entry SET amount = amount + 1 WHERE account = 1 AND seq = 2", "running_balance"),
            ("UPDATE ledger_entry SET amount = amount + 1 WHERE account = 1 AND seq = 2", "sum_not_zero"),
            ("UPDATE ledger_entry SET balance = balance + 1 WHERE account = 1 AND seq = 2", "running_balance"),
            ("UPDATE ledger_entry SET created_at = created_at - interval '1 day' WHERE account = 1 AND seq = 2", "entry_time"),
            ("UPDATE ledger_entry SET currency = 'SEK' WHERE account = 1 AND seq = 2", "entry_currency"),
            ("DELETE FROM ledger_entry WHERE account = 1 AND seq = 2", "entry_gap"),
            ("UPDATE ledger_entry SET account = 99 WHERE account = 1 AND seq = 2", "entry_without_account"),
            ("DELETE FROM ledger_transfer WHERE kind = 'capture'", "entry_without_transfer"),
            ("UPDATE ledger_transfer SET amount = amount + 1 WHERE kind = 'capture'", "transfer_entries"),
            ("UPDATE ledger_transfer SET credit = debit WHERE kind = 'pending'", "transfer_shape"),
            ("UPDATE ledger_transfer SET kind = 'posted', origin = NULL WHERE kind = 'capture'", "hold_remaining"),
            ("UPDATE ledger_transfer SET origin = 1 WHERE kind = 'reversal'", "reversal_origin"),
            ("UPDATE ledger_transfer SET origin = 1 WHERE kind = 'capture'", "hold_origin"),
            ("UPDATE ledger_transfer SET origin = 1 WHERE kind = 'posted' AND debit = 1", "journal_origin"),
            ("UPDATE ledger_transfer SET amount = 50 WHERE kind = 'posted' AND debit = 1", "reversal_exceeded"),
            ("UPDATE ledger_account SET posted = posted + 1 WHERE id = 1", "account_balance"),
            ("UPDATE ledger_account SET floor = posted + 1 WHERE id = 1", "account_floor"),
            ("UPDATE ledger_account SET ceiling = 1 WHERE kind = 'accumulating'", "account_balance"),
            ("UPDATE ledger_account SET seq = seq + 1 WHERE id = 1", "account_seq"),
            ("UPDATE ledger_account SET held = held + 1 WHERE id = 1", "account_held"),
            ("UPDATE ledger_account SET state = 'closed' WHERE id = 1", "account_closed_with_money"),
            ("UPDATE ledger_hold SET remaining = remaining + 1", "hold_remaining"),
            ("DELETE FROM ledger_hold", "hold_transfer"),
            ("DROP TRIGGER ledger_entry_balanced ON ledger_entry", "guard_missing"),
        ],
    )
    def test_finds_what_an_owner_did_with_triggers_off(self, busy, tampering, kind):
        with as_owner() as owner, owner.cursor() as cursor:
            cursor.execute("SELECT min(id) FROM ledger_account WHERE kind = 'guarded'")
            assert cursor.fetchone() == (1,)
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(tampering)
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        assert kind in {problem["kind"] for problem in verify().problems}
