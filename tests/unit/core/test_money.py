from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import HubError
from core.money import (
    AMOUNT_MAX,
    CURRENCIES,
    AmountInvalid,
    AmountNotANumber,
    AmountNotPositive,
    AmountRequired,
    AmountTooLarge,
    AmountTooPrecise,
    CurrencyMismatch,
    CurrencyUnknown,
    Money,
    Rounding,
    allocate,
    amount_check,
    currency_check,
    exponent,
    parse_amount,
)

codes = st.sampled_from(sorted(CURRENCIES))
amounts = st.integers(-AMOUNT_MAX, AMOUNT_MAX)


class TestCurrencyTable:
    def test_knows_the_odd_exponents(self) -> None:
        assert {code: exponent(code) for code in ("JPY", "EUR", "KWD", "ISK", "TND")} == {"JPY": 0, "EUR": 2, "KWD": 3, "ISK": 0, "TND": 3}

    def test_has_no_numeric_code_twice(self) -> None:
        numbers = [currency.numeric for currency in CURRENCIES.values()]
        assert len(numbers) == len(set(numbers))

    @pytest.mark.parametrize("text", ["", "EURO", "XXX", "XAU", "ＥＵＲ", "eu r", "\ud800"])
    def test_refuses_what_is_no_currency_of_people(self, text: str) -> None:
        with pytest.raises(CurrencyUnknown):
            currency_check(text)

    def test_accepts_small_letters_and_blanks_round_a_code(self) -> None:
        assert currency_check(" eur ") == "EUR"


class TestMoney:
    def test_adds_subtracts_and_compares_within_a_currency(self) -> None:
        assert Money(150, "EUR") + Money(50, "EUR") - Money(300, "EUR") == -Money(100, "EUR")
        assert Money(1, "EUR") < Money(2, "EUR") <= Money(2, "EUR")
        assert not Money(0, "EUR")

    @pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
    def test_refuses_to_mix_currencies(self, operation: str) -> None:
        with pytest.raises(CurrencyMismatch):
            getattr(Money(1, "EUR"), operation)(Money(1, "SEK"))

    def test_of_two_currencies_is_never_equal(self) -> None:
        assert Money(0, "EUR") != Money(0, "SEK")

    @pytest.mark.parametrize("amount", [1.0, True, "1", Decimal(1), None])
    def test_is_whole_minor_units_only(self, amount: object) -> None:
        with pytest.raises(TypeError):
            Money(amount, "EUR")  # type: ignore[arg-type]

    def test_needs_a_known_currency(self) -> None:
        with pytest.raises(CurrencyUnknown):
            Money(1, "eur")

    @pytest.mark.parametrize(
        ("money", "text"), [(Money(5, "JPY"), "5 JPY"), (Money(-5, "EUR"), "-0.05 EUR"), (Money(5, "KWD"), "0.005 KWD")]
    )
    def test_prints_with_the_decimals_of_its_currency(self, money: Money, text: str) -> None:
        assert str(money) == text

    @pytest.mark.parametrize(
        ("rounding", "text", "expected"),
        [
            (Rounding.HALF_EVEN, "0.125", 12),
            (Rounding.HALF_EVEN, "0.135", 14),
            (Rounding.HALF_UP, "0.125", 13),
            (Rounding.DOWN, "0.129", 12),
            (Rounding.UP, "0.121", 13),
            (Rounding.UP, "-0.121", -13),
        ],
    )
    def test_rounds_as_it_is_told(self, rounding: Rounding, text: str, expected: int) -> None:
        assert Money.from_decimal(Decimal(text), "EUR", rounding=rounding) == Money(expected, "EUR")

    @given(amounts, codes)
    def test_survives_the_way_through_a_decimal(self, amount: int, code: str) -> None:
        money = Money(amount, code)
        assert Money.from_decimal(money.decimal, code, rounding=Rounding.DOWN) == money


class TestAmountCheck:
    @pytest.mark.parametrize("amount", [0, -1])
    def test_refuses_nothing_and_less(self, amount: int) -> None:
        with pytest.raises(AmountNotPositive):
            amount_check(Money(amount, "EUR"))

    def test_accepts_the_largest_amount_and_no_more(self) -> None:
        assert amount_check(Money(AMOUNT_MAX, "EUR"))
        with pytest.raises(AmountTooLarge):
            amount_check(Money(AMOUNT_MAX + 1, "EUR"))


class TestParseAmount:
    @pytest.mark.parametrize(
        ("text", "currency", "minor"),
        [
            ("12,50", "EUR", 1250),
            ("12.50", "EUR", 1250),
            ("  12.5 ", "EUR", 1250),
            ("12", "EUR", 1200),
            ("12.", "EUR", 1200),
            (".5", "EUR", 50),
            (",05", "EUR", 5),
            ("+7", "EUR", 700),
            ("007", "EUR", 700),
            ("0.10", "EUR", 10),
            ("12.500", "EUR", 1250),
            ("1 234,50", "EUR", 123450),
            ("1\u00a0234,50", "SEK", 123450),
            ("1\u202f234,50", "EUR", 123450),
            ("1,234.50", "EUR", 123450),
            ("1.234,50", "EUR", 123450),
            ("1'234.50", "CHF", 123450),
            ("1’234.50", "CHF", 123450),
            ("1,234,567", "EUR", 123456700),
            ("1.234.567,8", "EUR", 123456780),
            ("1234567.89", "EUR", 123456789),
            ("۱۲٫۵۰", "EUR", 1250),
            ("۱٬۲۳۴٫۵۰", "IRR", 123450),
            ("١٢٫٥", "KWD", 12500),
            ("１２．５０", "EUR", 1250),
            ("１２，５０", "EUR", 1250),
            ("\u200e12.50\u200f", "EUR", 1250),
            ("500", "JPY", 500),
            ("500.00", "JPY", 500),
            ("1.234", "KWD", 1234),
            ("1,234", "KWD", 1234),
            ("1,234,567", "JPY", 1234567),
            ("10000000000", "EUR", AMOUNT_MAX),
            ("1000000000000", "JPY", AMOUNT_MAX),
        ],
    )
    def test_reads_what_people_type(self, text: str, currency: str, minor: int) -> None:
        assert parse_amount(text, currency) == Money(minor, currency)

    @pytest.mark.parametrize(
        ("text", "currency", "error"),
        [
            ("", "EUR", AmountRequired),
            (" \u00a0\u200f ", "EUR", AmountRequired),
            ("0", "EUR", AmountNotPositive),
            ("0,00", "EUR", AmountNotPositive),
            ("-1", "EUR", AmountNotPositive),
            ("−12,50", "EUR", AmountNotPositive),
            ("- 5", "EUR", AmountNotPositive),
            ("-9999999999999999999999999", "EUR", AmountNotPositive),
            ("1e400", "EUR", AmountNotANumber),
            ("1e2", "EUR", AmountNotANumber),
            ("NaN", "EUR", AmountNotANumber),
            ("sNaN", "EUR", AmountNotANumber),
            ("Infinity", "EUR", AmountNotANumber),
            ("0x10", "EUR", AmountNotANumber),
            ("1_000", "EUR", AmountNotANumber),
            ("²", "EUR", AmountNotANumber),
            ("½", "EUR", AmountNotANumber),
            ("五", "CNY", AmountNotANumber),
            ("--5", "EUR", AmountNotANumber),
            ("+-5", "EUR", AmountNotANumber),
            ("-", "EUR", AmountNotANumber),
            (".", "EUR", AmountNotANumber),
            ("1..2", "EUR", AmountNotANumber),
            ("1,2,3", "EUR", AmountNotANumber),
            ("1,23,456", "EUR", AmountNotANumber),
            ("1,234,56", "EUR", AmountNotANumber),
            ("1.234.56", "EUR", AmountNotANumber),
            ("12 50", "EUR", AmountNotANumber),
            ("1 2 3", "EUR", AmountNotANumber),
            ("1234,567.89", "EUR", AmountNotANumber),
            ("12.50 EUR", "EUR", AmountNotANumber),
            ("€5", "EUR", AmountNotANumber),
            ("5\x00", "EUR", AmountNotANumber),
            ("\ud800", "EUR", AmountNotANumber),
            ("1,234", "EUR", AmountTooPrecise),  # a thousand or one point two: never guessed
            ("1.234", "EUR", AmountTooPrecise),
            ("0.001", "EUR", AmountTooPrecise),
            ("0.5", "JPY", AmountTooPrecise),
            ("1,234", "JPY", AmountTooPrecise),
            ("1.2345", "KWD", AmountTooPrecise),
            ("0." + "9" * 40, "EUR", AmountTooPrecise),  # rounds up to one where 28 digits are kept
            ("1." + "0" * 40 + "1", "EUR", AmountTooPrecise),
            ("9223372036854775808", "EUR", AmountTooLarge),
            ("10000000000.01", "EUR", AmountTooLarge),
            ("1000000000001", "JPY", AmountTooLarge),
            ("9" * 64, "EUR", AmountTooLarge),
            ("9" * 100_000, "EUR", AmountTooLarge),
            ("x" * 100_000, "EUR", AmountNotANumber),
        ],
    )
    def test_names_what_is_wrong(self, text: str, currency: str, error: type[AmountInvalid]) -> None:
        with pytest.raises(error) as caught:
            parse_amount(text, currency)
        assert type(caught.value) is error
        assert caught.value.http_status == 422
        assert caught.value.field == "amount"
        assert str(caught.value)

    def test_says_how_many_decimals_there_may_be(self) -> None:
        with pytest.raises(AmountTooPrecise) as caught:
            parse_amount("1.2345", "KWD")
        assert caught.value.extra == {"decimals": 3}
        assert "3" in str(caught.value)

    def test_refuses_an_unknown_currency_first(self) -> None:
        with pytest.raises(CurrencyUnknown):
            parse_amount("nonsense", "XXX")

    @given(st.text(), st.one_of(codes, st.text()))
    def test_never_raises_anything_but_a_refusal(self, text: str, currency: str) -> None:
        try:
            money = parse_amount(text, currency)
        except HubError:
            return
        assert 0 < money.amount <= AMOUNT_MAX

    @given(st.text(alphabet="0123456789.,' -+e۱۲٫٬١\u00a0\u2212", max_size=80), codes)
    def test_never_raises_anything_but_a_refusal_near_numbers(self, text: str, currency: str) -> None:
        try:
            money = parse_amount(text, currency)
        except HubError:
            return
        assert 0 < money.amount <= AMOUNT_MAX

    @given(st.integers(1, AMOUNT_MAX), codes, st.sampled_from([".", ","]))
    def test_reads_back_every_amount_however_it_is_grouped(self, amount: int, currency: str, mark: str) -> None:
        money = Money(amount, currency)
        plain = f"{money.decimal:f}"
        assert parse_amount(plain.replace(".", mark), currency) == money
        if money.exponent:
            other = "," if mark == "." else "."
            grouped = f"{money.decimal:,f}".translate(str.maketrans(",.", other + mark))
            assert parse_amount(grouped, currency) == money


class TestAllocate:
    def test_gives_the_rest_to_the_largest_remainders(self) -> None:
        assert [part.amount for part in allocate(Money(100, "EUR"), [1, 1, 1])] == [34, 33, 33]
        assert [part.amount for part in allocate(Money(10, "EUR"), [5, 3, 1])] == [6, 3, 1]
        assert [part.amount for part in allocate(Money(-100, "EUR"), [1, 1, 1])] == [-34, -33, -33]
        assert [part.amount for part in allocate(Money(1, "EUR"), [0, 1])] == [0, 1]

    @pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1, 2]])
    def test_refuses_weights_that_say_nothing(self, weights: list[int]) -> None:
        with pytest.raises(ValueError, match="weights"):
            allocate(Money(1, "EUR"), weights)

    @given(amounts, st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any), codes)
    def test_parts_always_sum_to_the_whole_and_stay_near_their_share(self, amount: int, weights: list[int], code: str) -> None:
        parts = allocate(Money(amount, code), weights)
        assert sum(part.amount for part in parts) == amount
        total = sum(weights)
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part.amount * total - amount * weight) < total
