"""Statements: the stretch of the ledger they are, and that every form of them says the same."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Party
from core.money import Money
from formats.statements import reading
from tests.unit.wallets.conftest import Book
from wallets import ledger, selectors, services
from wallets.models import Wallet
from wallets.pots.services import pot_open, pot_put
from wallets.statements import documents, pdf
from wallets.statements.documents import Format
from wallets.statements.errors import PeriodInvalid, StatementTooLong
from wallets.statements.periods import Period, month, recent_months, year
from wallets.statements.selectors import lines, statement_for

STOCKHOLM = "Europe/Stockholm"
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31), STOCKHOLM)


@pytest.fixture
def wallet(somebody: Party, book: Book) -> Wallet:
    return services.wallet_open(party_id=somebody.id, currency="EUR", now=datetime(2026, 1, 1, tzinfo=UTC))


def moved(wallet: Wallet, minor: int, at: datetime, key: str) -> None:
    world = ledger.system_account("test:world", "EUR", now=at)
    debit, credit = (world, wallet.account) if minor > 0 else (wallet.account, world)
    ledger.post(debit=debit, credit=credit, amount=Money(abs(minor), "EUR"), key=key, now=at)


def file_of(wallet: Wallet, period: Period, form: Format, language: str = "en") -> bytes:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    with documents.document(statement_for(wallet, period, now=now), form, language=language, now=now).file as file:
        return file.read()


class TestPeriods:
    def test_begin_and_end_with_the_days_of_their_zone(self) -> None:
        assert MARCH.starts_at.astimezone(UTC) == datetime(2026, 2, 28, 23, tzinfo=UTC)
        assert MARCH.ends_at.astimezone(UTC) == datetime(2026, 3, 31, 22, tzinfo=UTC)  # summer time has begun

    def test_of_months_and_years(self) -> None:
        assert month(date(2024, 2, 29), "UTC") == Period(date(2024, 2, 1), date(2024, 2, 29), "UTC")
        assert year(2026, "UTC") == Period(date(2026, 1, 1), date(2026, 12, 31), "UTC")
        assert recent_months(date(2026, 2, 5), since=date(2025, 12, 31)) == [date(2026, 2, 1), date(2026, 1, 1), date(2025, 12, 1)]

    @pytest.mark.parametrize(
        ("first", "last"), [(date(2026, 3, 2), date(2026, 3, 1)), (date(1, 1, 1), date(2, 1, 1)), (date(9999, 12, 31),) * 2]
    )
    def test_that_cannot_be_are_refused(self, first: date, last: date) -> None:
        with pytest.raises(PeriodInvalid):
            Period(first, last, "UTC")


class TestStretch:
    def test_takes_what_happened_in_the_period_to_the_microsecond(self, wallet, book):
        tick = timedelta(microseconds=1)
        for number, at in enumerate([MARCH.starts_at - tick, MARCH.starts_at, MARCH.ends_at - tick, MARCH.ends_at]):
            moved(wallet, 10 ** (number + 1), at, f"m{number}")
        found = statement_for(wallet, MARCH, now=MARCH.ends_at)
        assert (found.opening.amount, found.money_in.amount, found.money_out.amount, found.closing.amount) == (10, 1100, 0, 1110)
        assert [line.entry.seq for line in lines(found)] == [2, 3]
        assert not found.complete
        assert statement_for(wallet, MARCH, now=MARCH.ends_at + timedelta(hours=1)).complete

    def test_stays_what_it_was_whatever_comes_later(self, wallet, book):
        moved(wallet, 100, MARCH.starts_at, "a")
        found = statement_for(wallet, MARCH, now=MARCH.ends_at)
        moved(wallet, 100, MARCH.starts_at + timedelta(days=1), "b")
        assert [line.entry.amount.amount for line in lines(found)] == [100]

    def test_of_nothing_is_empty(self, wallet, book):
        found = statement_for(wallet, MARCH, now=MARCH.ends_at)
        assert (found.count, found.opening, found.closing, found.last_transfer) == (0, Money(0, "EUR"), Money(0, "EUR"), None)
        assert list(lines(found)) == []

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        moves=st.lists(st.tuples(st.integers(1, 9000), st.integers(0, 90)), max_size=20),
        first=st.integers(0, 95),
        length=st.integers(0, 95),
    )
    def test_opening_and_sum_are_closing(self, wallet, book, moves, first, length):
        start = datetime(2026, 1, 1, tzinfo=UTC)
        before = selectors.balance_of(wallet).posted.amount
        for minor, day in sorted(moves, key=lambda one: one[1]):
            moved(wallet, minor, start + timedelta(days=day), book.key())
        begin = date(2026, 1, 1) + timedelta(days=first)
        found = statement_for(wallet, Period(begin, begin + timedelta(days=length), "UTC"), now=book.now)
        shown = [line.entry.amount.amount for line in lines(found)]
        assert found.opening.amount + sum(shown) == found.closing.amount
        assert sum(shown) == (found.money_in - found.money_out).amount
        assert len(shown) == found.count
        assert selectors.balance_of(wallet).posted.amount == before + sum(minor for minor, _day in moves)

    def test_is_read_in_pieces_by_a_few_queries_each(self, wallet, book, monkeypatch, django_assert_num_queries):
        monkeypatch.setattr("wallets.statements.selectors.CHUNK", 4)
        for number in range(10):
            moved(wallet, 1, MARCH.starts_at + timedelta(hours=number), f"m{number}")
        with django_assert_num_queries(3):
            found = statement_for(wallet, MARCH, now=MARCH.ends_at)
        with django_assert_num_queries(3):
            assert [line.entry.seq for line in lines(found)] == list(range(1, 11))
        assert [line.entry.seq for line in lines(found, after=7, limit=2)] == [8, 9]
        assert list(lines(found, after=99)) == []

    def test_reads_along_the_primary_key(self, wallet, book):
        from django.db import connection

        from wallets.statements import selectors as statements

        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            for query, arguments in ((statements._LINES, [wallet.account, 0, 10, 5]), (statements._SUMS, [wallet.account, 0, 10])):
                cursor.execute("EXPLAIN " + query, arguments)
                plan = " ".join(row[0] for row in cursor.fetchall())
                assert "ledger_entry_pkey" in plan
                assert "Seq Scan on ledger_entry" not in plan


class TestFiles:
    @pytest.fixture
    def march(self, wallet: Wallet, book: Book) -> Wallet:
        moved(wallet, 100_00, MARCH.starts_at - timedelta(days=3), "before")
        moved(wallet, 25_50, MARCH.starts_at + timedelta(days=3), "in")
        moved(wallet, -10_00, MARCH.starts_at + timedelta(days=5), "out")
        at = MARCH.starts_at + timedelta(days=6)
        pot = pot_open(party_id=wallet.party_id, wallet_id=wallet.id, name="=Holiday", idempotency_key="p", now=at)
        pot_put(party_id=wallet.party_id, pot_id=pot.id, amount=Money(5_00, "EUR"), idempotency_key="p", now=at)
        return wallet

    @pytest.mark.parametrize("form", [Format.CSV, Format.OFX, Format.CAMT])
    def test_can_be_read_again_and_add_up(self, march: Wallet, form: Format) -> None:
        found = reading.read(file_of(march, MARCH, form))
        assert (found.opening, found.closing) == (Decimal("100.00"), Decimal("110.50"))
        assert [one.amount for one in found.transactions] == [Decimal("25.50"), Decimal("-10.00"), Decimal("-5.00")]
        assert [(one.counterparty, one.description) for one in found.transactions][2] == ("=Holiday", "Put into pot")
        assert [one.booked_on.day for one in found.transactions] == [4, 6, 7]
        assert len({one.bank_id for one in found.transactions}) == 3

    def test_the_same_statement_has_the_same_id(self, march: Wallet) -> None:
        now = datetime(2026, 5, 1, tzinfo=UTC)
        ids = {documents.head_of(statement_for(march, MARCH, now=now), owner="", now=now).id for _ in range(2)}
        assert len(ids) == 1
        moved(march, 1, MARCH.ends_at - timedelta(days=1), "more")
        assert documents.head_of(statement_for(march, MARCH, now=now), owner="", now=now).id not in ids

    @pytest.mark.parametrize("language", ["en", "sv", "zh-hans", "fa"])
    def test_a_pdf_is_made_in_every_language(self, march: Wallet, language: str) -> None:
        data = file_of(march, MARCH, Format.PDF, language)
        assert data.startswith(b"%PDF-1.")
        assert data.rstrip().endswith(b"%%EOF")
        assert b"/FontFile2" in data  # fonts are inside

    def test_a_pdf_that_would_be_too_long_is_refused(self, march: Wallet, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pdf, "LINES_MAX", 2)
        with pytest.raises(StatementTooLong):
            file_of(march, MARCH, Format.PDF)

    def test_a_long_one_goes_over_many_pages(self, march: Wallet) -> None:
        for number in range(60):
            moved(march, 1, MARCH.ends_at - timedelta(hours=2), f"n{number}")
        data = file_of(march, MARCH, Format.PDF)
        assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") > 1

    def test_a_fault_in_the_middle_leaves_no_file(self, march: Wallet, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("wallets.statements.selectors._rows", broken)
        with pytest.raises(ZeroDivisionError):
            file_of(march, MARCH, Format.CSV)

    def test_a_proof_is_named(self, march: Wallet) -> None:
        from wallets.seals.services import seal
        from wallets.statements import proof

        now = datetime(2026, 5, 1, tzinfo=UTC)
        found = statement_for(march, MARCH, now=now)
        assert proof.reference(found).startswith("Not sealed yet; last transfer ")
        seal(now=now)
        assert proof.reference(found).startswith("Seal 1, ")
        assert len(proof.reference(found)) <= 80

    def test_take_no_memory_to_speak_of(self, wallet: Wallet, book: Book) -> None:
        import tracemalloc

        for number in range(300):
            moved(wallet, 1, MARCH.starts_at + timedelta(minutes=number), f"k{number}")
        found = statement_for(wallet, MARCH, now=MARCH.ends_at)
        sink = io.BytesIO()
        tracemalloc.start()
        for line in lines(found):
            sink.write(str(line.entry.seq).encode())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3_000_000
