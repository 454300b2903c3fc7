from __future__ import annotations

import contextlib
import gzip
import http.server
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from core import clock, rates
from core.models import Rate
from core.money import Money, Rounding
from core.rates import FeedInvalid, RateMissing, convert, convert_all, parse_feed, rate

END = rates.history_end()


def feed(day: date, **quotes: str) -> None:
    Rate.objects.bulk_create(Rate(currency=code, on_date=day, rate=Decimal(text)) for code, text in quotes.items())


def document(day: str = "2026-11-02", **quotes: str) -> bytes:
    cubes = "".join(f"<Cube currency='{code}' rate='{text}'/>" for code, text in (quotes or {"USD": "1.1", "SEK": "11.5"}).items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
        f"<gesmes:subject>Reference rates</gesmes:subject><Cube><Cube time='{day}'>{cubes}</Cube></Cube></gesmes:Envelope>"
    ).encode()


class TestShippedHistory:
    def test_gives_the_rate_of_a_day_without_a_query(self, db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(0):
            assert rate("EUR", "USD", on=date(1999, 1, 4)) == (Decimal("1.1789"), date(1999, 1, 4))
            assert rate("EUR", "SEK", on=date(2020, 1, 2)) == (Decimal("10.4728"), date(2020, 1, 2))

    def test_gives_fridays_rate_on_a_sunday_without_a_query(self, db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(0):
            assert rate("EUR", "USD", on=date(2020, 1, 5))[1] == date(2020, 1, 3)

    def test_crosses_through_the_euro(self, db: None) -> None:
        day = date(2020, 1, 2)
        to_sek, to_usd = rate("EUR", "SEK", on=day)[0], rate("EUR", "USD", on=day)[0]
        assert rate("USD", "SEK", on=day) == (to_sek / to_usd, day)
        assert rate("USD", "EUR", on=day) == (1 / to_usd, day)

    def test_of_a_currency_with_itself_is_one(self, db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(0):
            assert rate("AFN", "AFN", on=date(2026, 12, 1)) == (Decimal(1), date(2026, 12, 1))

    @pytest.mark.parametrize(
        ("source", "target", "day"),
        [
            ("EUR", "USD", date(1998, 12, 31)),  # before the history
            ("EUR", "AFN", date(2020, 1, 2)),  # never quoted
            ("AFN", "EUR", date(2020, 1, 2)),
            ("EUR", "RUB", date(2023, 1, 2)),  # no longer quoted
            ("EUR", "INR", date(2008, 1, 2)),  # not quoted yet
        ],
    )
    def test_says_that_there_is_no_rate(self, db: None, source: str, target: str, day: date) -> None:
        with pytest.raises(RateMissing) as caught:
            rate(source, target, on=day)
        assert caught.value.extra == {"source": source, "target": target, "on": day.isoformat()}
        assert caught.value.http_status == 409

    def test_last_day_must_do_where_no_feed_is_configured(self, db: None) -> None:
        assert rate("USD", "SEK", on=END + timedelta(days=400))[1] == END

    def test_without_a_feed_a_currency_no_longer_quoted_still_has_no_rate(self, db: None) -> None:
        with pytest.raises(RateMissing):
            rate("EUR", "RUB", on=END + timedelta(days=400))

    def test_defaults_to_the_hubs_today(self, db: None) -> None:
        assert rate("EUR", "USD")[1] <= clock.now().date()


class TestFeed:
    def test_newer_quotes_win(self, db: None) -> None:
        day = END + timedelta(days=3)
        feed(day, USD="2", SEK="20")
        assert rate("USD", "SEK", on=day) == (Decimal(10), day)
        assert rate("USD", "SEK", on=day - timedelta(days=1))[1] == END
        feed(day + timedelta(days=1), USD="2", SEK="30")
        assert rate("USD", "SEK", on=day + timedelta(days=5)) == (Decimal(15), day + timedelta(days=1))

    def test_gives_the_older_date_of_a_pair(self, db: None) -> None:
        feed(END + timedelta(days=3), USD="2", SEK="20")
        feed(END + timedelta(days=4), USD="2")
        assert rate("USD", "SEK", on=END + timedelta(days=4))[1] == END + timedelta(days=3)

    def test_that_died_is_not_believed_for_ever(self, db: None) -> None:
        day = END + timedelta(days=3)
        feed(day, USD="2", SEK="20")
        assert rate("USD", "SEK", on=day + timedelta(days=14))
        with pytest.raises(RateMissing):
            rate("USD", "SEK", on=day + timedelta(days=15))

    def test_that_dropped_a_currency_leaves_it_without_a_rate(self, db: None) -> None:
        day = END + timedelta(days=30)
        feed(day, USD="2")
        with pytest.raises(RateMissing):
            rate("EUR", "SEK", on=day)

    def test_is_asked_once_for_a_conversion(self, db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        day = END + timedelta(days=3)
        feed(day, USD="2", SEK="20")
        with django_assert_num_queries(1):
            rate("USD", "SEK", on=day)
        with django_assert_num_queries(1):
            convert(Money(1, "EUR"), "SEK", on=day, rounding=Rounding.DOWN)


class TestConvert:
    def test_goes_between_currencies_with_other_decimals(self, db: None) -> None:
        day = END + timedelta(days=3)
        feed(day, JPY="160", USD="1.25")
        converted = convert(Money(1000, "EUR"), "JPY", on=day, rounding=Rounding.HALF_EVEN)
        assert (converted.money, converted.rate, converted.rate_date) == (Money(1600, "JPY"), Decimal(160), day)
        assert convert(Money(1600, "JPY"), "EUR", on=day, rounding=Rounding.HALF_EVEN).money == Money(1000, "EUR")
        assert convert(Money(160, "JPY"), "USD", on=day, rounding=Rounding.HALF_EVEN).money == Money(125, "USD")

    def test_rounds_as_it_is_told(self, db: None) -> None:
        day = END + timedelta(days=3)
        feed(day, SEK="11.555", USD="1")
        assert convert(Money(100, "EUR"), "SEK", on=day, rounding=Rounding.DOWN).money == Money(1155, "SEK")
        assert convert(Money(100, "EUR"), "SEK", on=day, rounding=Rounding.UP).money == Money(1156, "SEK")

    def test_three_decimals_need_a_rate_too(self, db: None) -> None:
        with pytest.raises(RateMissing):  # the bank quotes no dinar
            convert(Money(1000, "KWD"), "EUR", rounding=Rounding.DOWN)


class TestConvertAll:
    def test_converts_every_amount_with_one_query(self, db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        day = END + timedelta(days=3)
        feed(day, SEK="10", USD="2")
        amounts = [Money(100, "EUR"), Money(100, "USD"), Money(100, "KWD"), Money(100, "SEK")]
        with django_assert_num_queries(1):
            found = convert_all(amounts, "SEK", on=day, rounding=Rounding.DOWN)
        assert [one and one.money.amount for one in found] == [1000, 500, None, 100]

    def test_asks_nothing_where_nothing_is_foreign(self, db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(0):
            assert convert_all([], "SEK", on=END + timedelta(days=9), rounding=Rounding.DOWN) == []
            assert convert_all([Money(5, "SEK")], "SEK", on=END + timedelta(days=9), rounding=Rounding.DOWN)[0] is not None


_BODY = document().split(b"?>", 1)[1]
HOSTILE = {
    "empty": b"",
    "not xml": b"rates: 1",
    "html": b"<html><body>Not found</body></html>",
    "no day": document().replace(b"time=", b"when="),
    "no such day": document("2026-02-30"),
    "no rates": document().replace(b"<Cube currency='USD' rate='1.1'/><Cube currency='SEK' rate='11.5'/>", b""),
    "no currency": document().replace(b"currency=", b"money="),
    "not a number": document(USD="one"),
    "nan": document(USD="NaN"),
    "infinite": document(USD="Infinity"),
    "zero": document(USD="0"),
    "negative": document(USD="-1"),
    "huge": document(USD="1e5000"),
    "tiny": document(USD="1e-5000"),
    "wrong encoding": document().replace(b"Reference", b"\xff\xfe"),
    "entities": b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + _BODY.replace(b"Reference", b"&b;"),
    "external entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + _BODY.replace(b"Reference", b"&a;"),
}


class TestParseFeed:
    def test_reads_the_banks_document(self) -> None:
        assert parse_feed(document()) == (date(2026, 11, 2), {"USD": Decimal("1.1"), "SEK": Decimal("11.5")})

    def test_leaves_out_what_is_no_currency_of_ours(self) -> None:
        assert parse_feed(document(USD="1.1", XAU="3000"))[1] == {"USD": Decimal("1.1")}

    @pytest.mark.parametrize("name", HOSTILE)
    def test_refuses(self, name: str) -> None:
        with pytest.raises(FeedInvalid):
            parse_feed(HOSTILE[name])


@contextlib.contextmanager
def publisher(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/eurofxref-daily.xml"
    finally:
        server.shutdown()
        server.server_close()


class TestRefresh:
    @pytest.fixture
    def today(self, monkeypatch: pytest.MonkeyPatch, now: object) -> date:
        from datetime import UTC, datetime

        monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 3, 12, tzinfo=UTC))
        return date(2026, 11, 3)

    def test_does_nothing_where_no_feed_is_configured(self, db: None, settings: Settings) -> None:
        settings.HUB_RATES_URL = ""
        assert rates.refresh() == 0

    def test_adds_each_day_once(self, db: None, settings: Settings, today: date) -> None:
        with publisher(document()) as settings.HUB_RATES_URL:
            assert rates.refresh() == 2
            assert rates.refresh() == 0
        with publisher(document(USD="9", SEK="9", NOK="12")) as settings.HUB_RATES_URL:
            assert rates.refresh() == 1  # what was published for a day is never changed
        assert rate("EUR", "USD", on=date(2026, 11, 2))[0] == Decimal("1.1")

    def test_reads_a_compressed_answer(self, db: None, settings: Settings, today: date) -> None:
        with publisher(gzip.compress(document()), headers={"Content-Encoding": "gzip"}) as settings.HUB_RATES_URL:
            assert rates.refresh() == 2

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_bad_document_changes_nothing(self, db: None, settings: Settings, today: date, name: str) -> None:
        with publisher(HOSTILE[name]) as settings.HUB_RATES_URL:
            assert rates.refresh() == 0
        assert not Rate.objects.exists()

    def test_neither_do_an_error_a_cut_answer_a_bomb_or_a_day_to_come(self, db: None, settings: Settings, today: date) -> None:
        cut = {"Content-Length": str(len(document()) + 10)}
        for body, status, headers in [
            (document(), 503, {}),
            (document(), 200, {"Content-Encoding": "gzip"}),
            (gzip.compress(document())[:-20], 200, {"Content-Encoding": "gzip", **cut}),
            (gzip.compress(b" " * 20_000_000), 200, {"Content-Encoding": "gzip"}),
            (document("2026-11-04"), 200, {}),
        ]:
            with publisher(body, status=status, headers=headers) as settings.HUB_RATES_URL:
                assert rates.refresh() == 0
        settings.HUB_RATES_URL = "http://127.0.0.1:1/nobody-listens"
        assert rates.refresh() == 0
        assert not Rate.objects.exists()
