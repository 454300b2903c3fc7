"""
Money in minor units, the currency table and the parsing of typed amounts.

Shapes: an amount is an `int` of minor units (cents, öre, yen) with an ISO 4217 code; `Decimal` appears only while
parsing and converting; `float` never.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import HubError

# More than the world's yearly output in the smallest unit of a weak currency would be a typing error; sums of a
# million such amounts still fit a bigint.
AMOUNT_MAX = 10**12


class AmountInvalid(HubError):
    """The amount cannot be used; `code` says why (amount_required, amount_not_a_number, ...)."""

    code = "amount_invalid"
    http_status = 422
    default_field = "amount"
    default_message = _("Enter an amount.")


class AmountRequired(AmountInvalid):
    code = "amount_required"
    default_message = _("Enter an amount.")


class AmountNotANumber(AmountInvalid):
    code = "amount_not_a_number"
    default_message = _("Enter the amount as a number, for example 12.50.")


class AmountNotPositive(AmountInvalid):
    code = "amount_not_positive"
    default_message = _("The amount must be more than zero.")


class AmountTooPrecise(AmountInvalid):
    code = "amount_too_precise"
    default_message = _("The amount has more decimals than the currency has.")


class AmountTooLarge(AmountInvalid):
    code = "amount_too_large"
    default_message = _("The amount is too large.")


class CurrencyUnknown(HubError):
    """Not a currency of ISO 4217 that people can hold."""

    code = "currency_unknown"
    http_status = 422
    default_field = "currency"
    default_message = _("We do not know this currency.")


class CurrencyMismatch(HubError):
    """Two amounts, or an amount and a wallet, are in different currencies."""

    code = "currency_mismatch"
    http_status = 422
    default_field = "amount"
    default_message = _("The currencies do not match.")


class Rounding(Enum):
    """How a result between two minor units is settled; always named by the caller."""

    HALF_EVEN = ROUND_HALF_EVEN
    HALF_UP = ROUND_HALF_UP
    UP = ROUND_UP
    DOWN = ROUND_DOWN


@dataclass(frozen=True, slots=True)
class Currency:
    code: str
    numeric: int
    exponent: int


# ISO 4217 list one: currencies in circulation, code and numeric code. The exponent is 2 unless named below.
_NUMERIC = """
AED 784 AFN 971 ALL 8 AMD 51 AOA 973 ARS 32 AUD 36 AWG 533 AZN 944 BAM 977 BBD 52 BDT 50 BHD 48 BIF 108 BMD 60 BND 96
BOB 68 BRL 986 BSD 44 BTN 64 BWP 72 BYN 933 BZD 84 CAD 124 CDF 976 CHF 756 CLP 152 CNY 156 COP 170 CRC 188 CUP 192
CVE 132 CZK 203 DJF 262 DKK 208 DOP 214 DZD 12 EGP 818 ERN 232 ETB 230 EUR 978 FJD 242 FKP 238 GBP 826 GEL 981 GHS 936
GIP 292 GMD 270 GNF 324 GTQ 320 GYD 328 HKD 344 HNL 340 HTG 332 HUF 348 IDR 360 ILS 376 INR 356 IQD 368 IRR 364 ISK 352
JMD 388 JOD 400 JPY 392 KES 404 KGS 417 KHR 116 KMF 174 KPW 408 KRW 410 KWD 414 KYD 136 KZT 398 LAK 418 LBP 422 LKR 144
LRD 430 LSL 426 LYD 434 MAD 504 MDL 498 MGA 969 MKD 807 MMK 104 MNT 496 MOP 446 MRU 929 MUR 480 MVR 462 MWK 454 MXN 484
MYR 458 MZN 943 NAD 516 NGN 566 NIO 558 NOK 578 NPR 524 NZD 554 OMR 512 PAB 590 PEN 604 PGK 598 PHP 608 PKR 586 PLN 985
PYG 600 QAR 634 RON 946 RSD 941 RUB 643 RWF 646 SAR 682 SBD 90 SCR 690 SDG 938 SEK 752 SGD 702 SHP 654 SLE 925 SOS 706
SRD 968 SSP 728 STN 930 SVC 222 SYP 760 SZL 748 THB 764 TJS 972 TMT 934 TND 788 TOP 776 TRY 949 TTD 780 TWD 901 TZS 834
UAH 980 UGX 800 USD 840 UYU 858 UZS 860 VES 928 VND 704 VUV 548 WST 882 XAF 950 XCD 951 XCG 532 XOF 952 XPF 953 YER 886
ZAR 710 ZMW 967 ZWG 924
""".split()
_EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
CURRENCIES: dict[str, Currency] = {
    code: Currency(code, int(number), _EXPONENTS.get(code, 2)) for code, number in zip(_NUMERIC[::2], _NUMERIC[1::2], strict=True)
}


def currency_check(code: str) -> str:
    """
    The code in capitals.

    :raises CurrencyUnknown: it is not in the table.
    """
    found = code.strip().upper() if code.isascii() else ""
    if found not in CURRENCIES:
        raise CurrencyUnknown(currency=code[:12])
    return found


def exponent(code: str) -> int:
    """How many decimals the currency has: JPY 0, EUR 2, KWD 3."""
    return CURRENCIES[currency_check(code)].exponent


@functools.total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount of minor units in one currency; signed. Arithmetic over two currencies raises CurrencyMismatch."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"an amount is a whole number of minor units, not {type(self.amount).__name__}")
        if self.currency not in CURRENCIES:
            raise CurrencyUnknown(currency=str(self.currency)[:12])

    @property
    def exponent(self) -> int:
        return CURRENCIES[self.currency].exponent

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.amount).scaleb(-self.exponent)

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(expected=self.currency, found=other.currency)
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        """For logs and tests only; pages use the {% money %} tag."""
        return f"{self.decimal:f} {self.currency}"

    @classmethod
    def from_decimal(cls, value: Decimal, currency: str, *, rounding: Rounding) -> Money:
        return cls(int(value.scaleb(exponent(currency)).to_integral_value(rounding=rounding.value)), currency)


def amount_check(money: Money) -> Money:
    """
    The same money, if it can be moved.

    :raises AmountNotPositive: zero or less.
    :raises AmountTooLarge: above AMOUNT_MAX.
    """
    if money.amount <= 0:
        raise AmountNotPositive()
    if money.amount > AMOUNT_MAX:
        raise AmountTooLarge()
    return money


# Everything that is written as a decimal mark or between groups of digits somewhere, folded to "." "," and " ".
_MARKS = str.maketrans(
    {
        "\u066b": ".",  # Arabic decimal separator
        "\u066c": "'",  # Arabic thousands separator: only ever groups
        "\uff0e": ".",
        "\uff0c": ",",
        "\u3002": ".",
        "\u060c": ",",
        "\u2019": "'",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u2212": "-",
        "\uff0d": "-",
        "\u2013": "-",
        "\uff0b": "+",
        **dict.fromkeys("\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\u061c"),  # direction marks that copying brings along
    }
)
_PLAIN = re.compile(r"\d+(?:[.,]\d*)?|[.,]\d+")
_GROUPED = re.compile(r"\d{1,3}(?:(?P<mark>[ ',.])\d{3})(?:(?P=mark)\d{3})*(?:(?P<point>[.,])\d*)?")


# Wide enough for every text that is parsed: the default of 28 digits would round 0.99...9 up to one.
_EXACT = Context(prec=100)


def ascii_digits(text: str) -> str:
    """Digits of any script as ASCII: "۱۲" and "１２" are "12"."""
    return "".join(str(unicodedata.decimal(char)) if unicodedata.category(char) == "Nd" else char for char in text)


def _decimal_from(text: str) -> Decimal | None:
    if _PLAIN.fullmatch(text):
        return Decimal("0" + text.replace(",", "."))
    grouped = _GROUPED.fullmatch(text)
    if not grouped:
        return None
    mark, point = grouped["mark"], grouped["point"]
    if mark == point:
        return None
    whole, _, fraction = text.rpartition(point) if point else (text, "", "")
    return Decimal(re.sub(r"\D", "", whole) + "." + (fraction or "0"))


def parse_amount(text: str, currency: str) -> Money:
    """
    A positive amount as a person types it: "12,50", "12.50", "1 234,50", "1,234.50", Persian or full-width digits.

    One lone mark is always the decimal mark ("1,234" EUR is too precise, not one thousand): guessing wrong would be
    a thousand times the amount. Returns minor units.

    :raises AmountInvalid: one of its subclasses, by what is wrong.
    :raises CurrencyUnknown: the currency is not in the table.
    """
    places = exponent(currency)
    cleaned = ascii_digits(text).translate(_MARKS).strip()
    if not cleaned:
        raise AmountRequired()
    negative = cleaned.startswith("-")
    value = _decimal_from(cleaned.lstrip("+-").strip()) if len(cleaned) <= 64 and cleaned[:2] not in ("--", "+-", "-+", "++") else None
    if value is None:
        if len(cleaned) > 64 and re.fullmatch(r"[+-]?[\d ',.]+", cleaned):
            raise AmountTooLarge()
        raise AmountNotANumber()
    if negative or value == 0:
        raise AmountNotPositive()
    if value > AMOUNT_MAX:
        raise AmountTooLarge()
    minor = value.scaleb(places, context=_EXACT)
    if minor != minor.to_integral_value():
        raise AmountTooPrecise(_decimals_message(places), decimals=places)
    return amount_check(Money(int(minor), currency_check(currency)))


def _decimals_message(places: int) -> str | Promise:
    if places == 0:
        return _("This currency has no decimals.")
    return _("This currency has at most %(places)s decimals.") % {"places": places}


def allocate(money: Money, weights: Sequence[int]) -> list[Money]:
    """
    Split by weight so that the parts sum to the whole: every part rounded towards zero, the rest given one minor unit
    at a time to the largest remainders (ties: first come).

    :raises ValueError: a negative weight, or none above zero.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative and one must be above zero")
    sign, whole = (-1, -money.amount) if money.amount < 0 else (1, money.amount)
    parts = [whole * weight // total for weight in weights]
    remainders = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
    for i in remainders[: whole - sum(parts)]:
        parts[i] += 1
    return [Money(sign * part, money.currency) for part in parts]
