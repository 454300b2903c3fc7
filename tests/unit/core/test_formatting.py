from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from core import formatting
from core.money import Money

NBSP = "\N{NO-BREAK SPACE}"
LRM = "\N{LEFT-TO-RIGHT MARK}"


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "currency", "language", "expected"),
        [
            (123_450, "EUR", "en", "€1,234.50"),
            (123_450, "EUR", "sv", f"1{NBSP}234,50{NBSP}€"),
            (123_450, "EUR", "zh-hans", "€1,234.50"),
            (123_450, "EUR", "fa", f"{LRM}€{NBSP}۱٬۲۳۴٫۵۰"),
            (1_234, "JPY", "en", "JP¥1,234"),
            (1_234_500, "KWD", "en", f"KWD{NBSP}1,234.500"),
            (5, "SEK", "sv", f"0,05{NBSP}kr"),
            (0, "EUR", "en", "€0.00"),
        ],
    )
    def test_follows_the_language_and_the_decimals_of_the_currency(self, amount: int, currency: str, language: str, expected: str) -> None:
        assert formatting.money(Money(amount, currency), language) == expected

    def test_keeps_decimals_that_cldr_would_round_away(self) -> None:
        assert formatting.money(Money(12_345, "IRR"), "en") == f"IRR{NBSP}123.45"

    def test_uses_a_minus_sign_and_a_plus_only_when_asked(self) -> None:
        assert formatting.money(Money(-2_000, "EUR"), "en") == "−€20.00"
        assert formatting.money(Money(2_000, "EUR"), "en", sign=True) == "+€20.00"
        assert formatting.money(Money(0, "EUR"), "en", sign=True) == "€0.00"

    def test_starts_left_to_right_in_persian_so_that_the_sign_stays_in_front(self) -> None:
        assert formatting.money(Money(-2_000, "EUR"), "fa").startswith(LRM + "−")

    def test_input_values_are_read_back_by_the_parser(self) -> None:
        from core.money import parse_amount

        for money in (Money(1_250, "EUR"), Money(1_250, "JPY"), Money(1_250, "KWD")):
            assert parse_amount(formatting.money_input(money), money.currency) == money

    def test_axis_marks_are_short(self) -> None:
        assert formatting.money_axis(Decimal(500), "EUR", "en") == "€500"
        assert formatting.money_axis(Decimal("2.5"), "EUR", "en") == "€2.5"
        assert formatting.money_axis(Decimal(1_200_000), "EUR", "en") == "€1.2M"
        assert formatting.money_axis(Decimal(-50), "EUR", "en") == "−€50"


class TestNumbers:
    def test_persian_has_its_own_digits_and_marks(self) -> None:
        assert formatting.num(Decimal("1234.5"), "fa") == "۱٬۲۳۴٫۵"
        assert formatting.num(-1234, "en") == "−1,234"
        assert formatting.percent(Decimal("0.125"), "fa") == "۱۲٫۵٪"
        assert formatting.percent(Decimal("0.125"), "sv") == f"12,5{NBSP}%"


class TestDays:
    @pytest.mark.parametrize(
        ("language", "form", "expected"),
        [
            ("en", "long", "21 November 2026"),
            ("en", "medium", "21 Nov 2026"),
            ("en", "short", "21 Nov"),
            ("en", "weekday", "Saturday 21 November"),
            ("sv", "long", "21 november 2026"),
            ("zh-hans", "long", "2026年11月21日"),
            ("fa", "long", "۳۰ آبان ۱۴۰۵"),
            ("fa", "short", "۳۰ آبان"),
            ("fa", "weekday", "شنبه ۳۰ آبان"),
        ],
    )
    def test_follows_the_calendar_of_the_language(self, language: str, form: str, expected: str) -> None:
        assert formatting.day(date(2026, 11, 21), language, form) == expected

    def test_near_days_have_names(self) -> None:
        today = date(2026, 11, 21)
        assert formatting.day_near(today, "en", today=today) == "Today"
        assert formatting.day_near(date(2026, 11, 20), "en", today=today) == "Yesterday"
        assert formatting.day_near(date(2026, 11, 19), "en", today=today) == "Thursday 19 November"
        assert formatting.day_near(date(2025, 11, 19), "en", today=today) == "19 November 2025"

    def test_moments_are_in_the_zone_of_the_reader(self) -> None:
        late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
        assert formatting.moment(late, "en", zone="Europe/Stockholm") == "22 Nov 2026, 00:30"
        assert formatting.moment(late, "fa", zone="Asia/Tehran") == "۱ آذر ۱۴۰۵، ۳:۰۰"


class TestCurrencies:
    def test_choices_name_every_currency(self) -> None:
        choices = dict(formatting.currency_choices("en"))
        assert choices["SEK"] == "SEK – Swedish Krona"
        assert len(choices) > 150
