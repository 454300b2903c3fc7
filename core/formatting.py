"""
How money, numbers and days are written: the only path, used by the template tags, mails and charts.

Plain text in, plain text out; nothing here knows of HTML. Languages are Django's codes ("en", "sv", "zh-hans", "fa").
Babel brings the patterns; three things it does not do are done here: digits of Persian (Babel leaves Latin ones), the
Jalali calendar, and the space between a currency's letters and the first digit.
"""

from __future__ import annotations

import copy
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import jdatetime
from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import NumberPattern, format_compact_currency, format_decimal, format_percent
from django.utils.translation import gettext as _

from core.money import CURRENCIES, Money

# "en" is British English here: days before months, a 24 hour clock, and US$ told from other dollars.
LOCALES = {"en": "en_GB", "sv": "sv", "zh-hans": "zh_Hans", "fa": "fa"}
MINUS = "\N{MINUS SIGN}"
HIDDEN = "••••"

_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_PERSIAN_NUMBER = str.maketrans({**dict(zip("0123456789", "۰۱۲۳۴۵۶۷۸۹", strict=True)), ",": "٬", ".": "٫"})
_JALALI_MONTHS = (
    "فروردین",
    "اردیبهشت",
    "خرداد",
    "تیر",
    "مرداد",
    "شهریور",
    "مهر",
    "آبان",
    "آذر",
    "دی",
    "بهمن",
    "اسفند",
)
_LETTER_THEN_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")


@lru_cache(maxsize=32)
def locale_for(language: str) -> Locale:
    return Locale.parse(LOCALES.get(language.lower(), LOCALES.get(language.lower().split("-")[0], "en_GB")))


def is_persian(language: str) -> bool:
    return language.lower().split("-")[0] == "fa"


@lru_cache(maxsize=256)
def _currency_pattern(language: str, exponent: int) -> NumberPattern:
    # Our own table rules the decimals: CLDR rounds some currencies (IRR) that ISO 4217 divides.
    pattern: NumberPattern = copy.copy(locale_for(language).currency_formats["standard"])
    pattern.frac_prec = (exponent, exponent)
    return pattern


def digits(text: str, language: str) -> str:
    """Latin digits turned into the language's own."""
    return text.translate(_PERSIAN_DIGITS) if is_persian(language) else text


def isolated(text: str, language: str) -> str:
    """
    A name or an amount for the middle of a sentence without markup, where `<bdi>` cannot stand: in a right-to-left language its
    direction is kept from the words around it, and theirs from it.
    """
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}" if is_persian(language) else text


def money(value: Money, language: str, *, sign: bool = False) -> str:
    """
    "€1,234.50", "1 234,50 €", "‎€ ۱٬۲۳۴٫۵۰"; a minus sign (not a hyphen) in front of less than zero.

    With `sign`, more than zero gets a plus.
    """
    text = _currency_pattern(language, value.exponent).apply(
        abs(value.decimal),
        locale_for(language),
        currency=value.currency,
        currency_digits=False,
    )
    text = _LETTER_THEN_DIGIT.sub("\N{NO-BREAK SPACE}", text)
    mark = MINUS if value.amount < 0 else "+" if sign and value.amount > 0 else ""
    if is_persian(language):
        # The left-to-right mark has to come before the sign, or the sign wanders to the other end.
        return "\N{LEFT-TO-RIGHT MARK}" + mark + text.replace("\N{LEFT-TO-RIGHT MARK}", "").translate(_PERSIAN_NUMBER)
    return mark + text


def money_axis(value: Decimal, currency: str, language: str) -> str:
    """Short, for the marks of an axis: "€500", "€2.5", "€1.2M"."""
    if abs(value) >= 100_000:
        text = format_compact_currency(abs(value), currency, format_type="short", locale=locale_for(language), fraction_digits=1)
    else:
        pattern = copy.copy(_currency_pattern(language, 0))
        pattern.frac_prec = (0, CURRENCIES[currency].exponent)
        text = pattern.apply(abs(value), locale_for(language), currency=currency, currency_digits=False)
    text = _LETTER_THEN_DIGIT.sub("\N{NO-BREAK SPACE}", text).replace("\N{LEFT-TO-RIGHT MARK}", "")
    if is_persian(language):
        text = "\N{LEFT-TO-RIGHT MARK}" + text.translate(_PERSIAN_NUMBER)
    return (MINUS if value < 0 else "") + text


def money_input(value: Money) -> str:
    """For the value of an amount field: plain digits that `parse_amount` reads back, "12.50"."""
    return f"{value.decimal:.{value.exponent}f}"


def num(value: int | Decimal, language: str) -> str:
    text = format_decimal(abs(Decimal(value)), locale=locale_for(language))
    if is_persian(language):
        text = text.translate(_PERSIAN_NUMBER)
    return (MINUS if value < 0 else "") + text


def percent(value: Decimal, language: str) -> str:
    """A share of one as a percentage: Decimal("0.125") is "12.5%"."""
    pattern = "#,##0.#\N{NO-BREAK SPACE}%" if language.startswith("sv") else "#,##0.#%"
    text = format_percent(abs(value), format=pattern, locale=locale_for(language))
    if is_persian(language):
        text = text.translate(_PERSIAN_NUMBER).replace("%", "٪")
    return (MINUS if value < 0 else "") + text


def day(value: date, language: str, form: str = "long") -> str:
    """
    A date in words. Forms: "long" (21 November 2026), "medium" (21 Nov 2026), "short" (21 Nov),
    "weekday" (Saturday 21 November), "month" (November 2026; the Gregorian month in every language).
    """
    if form == "month":
        return digits(format_skeleton("yMMMM", value, locale=locale_for(language)), language)
    if is_persian(language):
        return _jalali(value, form)
    locale = locale_for(language)
    if form in ("long", "medium"):
        return format_date(value, form, locale=locale)
    if form == "weekday":
        return _weekday_and_day(value, locale)
    return format_skeleton("MMMd", value, locale=locale)


def _weekday_and_day(value: date, locale: Locale) -> str:
    # CLDR joins the two with a comma in English; a heading reads better without.
    return format_skeleton("MMMMEEEEd", value, locale=locale).replace(",", "")


def _jalali(value: date, form: str) -> str:
    jalali = jdatetime.date.fromgregorian(date=value)
    text = f"{jalali.day} {_JALALI_MONTHS[jalali.month - 1]}"
    if form in ("long", "medium"):
        text += f" {jalali.year}"
    if form == "weekday":
        text = f"{format_date(value, 'EEEE', locale=locale_for('fa'))} {text}"
    return digits(text, "fa")


def day_near(value: date, language: str, *, today: date) -> str:
    """The heading of a day in a list: "Today", "Yesterday", else the weekday; another year is always named."""
    if value == today:
        return _("Today")
    if value == today - timedelta(days=1):
        return _("Yesterday")
    return day(value, language, "weekday" if abs((today - value).days) < 300 else "long")


def clock_time(value: datetime, language: str, *, zone: str) -> str:
    """14:05 in a named zone."""
    return digits(
        format_time(value.astimezone(ZoneInfo(zone)), "short", locale=locale_for(language)),
        language,
    )


def moment(value: datetime, language: str, *, zone: str) -> str:
    """ "21 Nov 2026, 14:05" in a named zone; `value` is aware."""
    local = value.astimezone(ZoneInfo(zone))
    comma = "،" if is_persian(language) else "" if language.startswith("zh") else ","
    return f"{day(local.date(), language, 'medium')}{comma} {clock_time(value, language, zone=zone)}"


def currency_name(code: str, language: str) -> str:
    """ "Swedish Krona" in the reader's language; the code itself where the language has no name for it."""
    return str(locale_for(language).currencies.get(code, code))


def currency_choices(language: str) -> list[tuple[str, str]]:
    """All currencies for a select, by code: ("SEK", "SEK – Swedish Krona")."""
    return [(code, f"{code} \N{EN DASH} {currency_name(code, language)}") for code in sorted(CURRENCIES)]
