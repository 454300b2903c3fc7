"""
Exchange rates: the European Central Bank's history ships with the hub, a daily feed adds to it.

A rate is what one euro costs; other pairs go through the euro. The rate's date is always given along, and a currency
without a rate is said to have none, never guessed. Source: the ECB's euro foreign exchange reference rates.
"""

from __future__ import annotations

import csv
import io
import lzma
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path

import requests
import structlog
from defusedxml import ElementTree
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core import clock
from core.errors import HubError
from core.models import Rate
from core.money import CURRENCIES, Money, Rounding

log = structlog.get_logger(__name__)
BASE = "EUR"
_HISTORY = Path(__file__).parent / "data" / "ecb_rates.csv.xz"
# A currency that the bank stopped quoting has no rate any more, whatever it was worth in its last week.
_STALE = timedelta(days=14)
_CANARY = "USD"
_FEED_MAX_BYTES = 2_000_000
_PLAUSIBLE = (Decimal("1e-8"), Decimal("1e9"))  # also what the column can hold


class RateMissing(HubError):
    """There is no rate between the two currencies for that day."""

    code = "rate_missing"
    http_status = 409
    default_message = _("There is no exchange rate for this currency at the moment.")


@dataclass(frozen=True)
class Converted:
    """`money` in the wanted currency, at `rate` (units of it for one unit of the source) published on `rate_date`."""

    money: Money
    rate: Decimal
    rate_date: date


@lru_cache(maxsize=1)
def history() -> dict[str, tuple[list[date], list[Decimal]]]:
    """The shipped history: for each currency its days, rising, and what a euro cost on them."""
    reader = csv.reader(io.StringIO(lzma.decompress(_HISTORY.read_bytes()).decode()))
    codes = [code.strip() for code in next(reader)[1:]]
    found: dict[str, tuple[list[date], list[Decimal]]] = {code: ([], []) for code in codes if code in CURRENCIES}
    for row in sorted(reader, key=lambda row: row[0]):
        day = date.fromisoformat(row[0])
        for code, text in zip(codes, row[1:], strict=False):
            if code in found and text.strip() not in ("", "N/A"):
                found[code][0].append(day)
                found[code][1].append(Decimal(text))
    return found


@lru_cache(maxsize=1)
def history_end() -> date:
    return max(days[-1] for days, _values in history().values() if days)


@dataclass(frozen=True)
class _Quote:
    per_euro: Decimal
    on: date


def _shipped(currency: str, on: date) -> _Quote | None:
    days, values = history().get(currency, ([], []))
    at = bisect_right(days, on)
    return _Quote(values[at - 1], days[at - 1]) if at else None


def _fed(currencies: set[str], on: date) -> dict[str, _Quote]:
    """The feed's last quotes after the shipped history; one query of one index look-up a currency."""
    rows = Rate.objects.raw(
        "SELECT quote.* FROM unnest(%s::text[]) AS wanted (code) CROSS JOIN LATERAL (SELECT * FROM core_rate"
        " WHERE currency = wanted.code AND on_date > %s AND on_date <= %s ORDER BY on_date DESC LIMIT 1) AS quote",
        [sorted(currencies), history_end(), on],
    )
    return {row.currency: _Quote(row.rate, row.on_date) for row in rows}


def _quotes(currencies: set[str], on: date) -> dict[str, _Quote]:
    """
    What a euro cost on that day, for those of the currencies that were quoted then or in the two weeks before. Days of
    the shipped history need no query, later ones need one for all currencies together.
    """
    # A feed that is alive quotes the dollar: asking for it tells "there is no feed" from "no longer quoted".
    fed = _fed({*currencies, _CANARY}, on) if on > history_end() else {}
    # Without a feed the last day of the shipped history must do; the date that is given along says so.
    oldest = (on if fed else min(on, history_end())) - _STALE
    quotes = {code: fed.get(code) or _shipped(code, on) for code in currencies}
    return {BASE: _Quote(Decimal(1), on)} | {code: quote for code, quote in quotes.items() if quote and quote.on >= oldest}


def _cross(quotes: dict[str, _Quote], source: str, target: str, on: date) -> tuple[Decimal, date]:
    if source == target:
        return Decimal(1), on
    if source not in quotes or target not in quotes:
        raise RateMissing(source=source, target=target, on=on.isoformat())
    return quotes[target].per_euro / quotes[source].per_euro, min(quotes[source].on, quotes[target].on)


def rate(source: str, target: str, *, on: date | None = None) -> tuple[Decimal, date]:
    """
    Units of `target` for one unit of `source`, and the older of the two publishing dates.

    :raises RateMissing: one of the two has no rate on or shortly before that day.
    """
    day = on or clock.now().date()
    return _cross(_quotes({source, target}, day) if source != target else {}, source, target, day)


def convert(money: Money, to: str, *, on: date | None = None, rounding: Rounding) -> Converted:
    """
    :raises RateMissing: no rate for that day; callers hold, they never guess.
    """
    return _apply(money, to, rate(money.currency, to, on=on), rounding)


def convert_all(amounts: Sequence[Money], to: str, *, on: date | None = None, rounding: Rounding) -> list[Converted | None]:
    """Each amount converted, with one query for all of them; None where there is no rate."""
    day = on or clock.now().date()
    foreign = {money.currency for money in amounts} - {to}
    quotes = _quotes({*foreign, to}, day) if foreign else {}
    found: list[Converted | None] = []
    for money in amounts:
        try:
            found.append(_apply(money, to, _cross(quotes, money.currency, to, day), rounding))
        except RateMissing:
            found.append(None)
    return found


def _apply(money: Money, to: str, at: tuple[Decimal, date], rounding: Rounding) -> Converted:
    value, day = at
    return Converted(Money.from_decimal(money.decimal * value, to, rounding=rounding), value, day)


class FeedInvalid(Exception):
    """The published document is not a list of rates."""


def parse_feed(document: bytes) -> tuple[date, dict[str, Decimal]]:
    """
    The ECB's daily XML: its date and what a euro costs in each currency.

    :raises FeedInvalid: another format, hostile XML, or rates that are not positive numbers.
    """
    try:
        root = ElementTree.fromstring(document, forbid_dtd=True)
        day_node = next(node for node in root.iter() if node.tag.endswith("}Cube") and "time" in node.attrib)
        day = date.fromisoformat(day_node.attrib["time"])
        rates = {node.attrib["currency"]: Decimal(node.attrib["rate"]) for node in day_node}
    except (ElementTree.ParseError, ValueError, KeyError, StopIteration, InvalidOperation) as error:
        raise FeedInvalid(type(error).__name__) from error
    if not rates or not all(value.is_finite() and _PLAUSIBLE[0] < value < _PLAUSIBLE[1] for value in rates.values()):
        raise FeedInvalid("a rate is not a positive number")
    return day, {code: value for code, value in rates.items() if code in CURRENCIES}


def _read(response: requests.Response) -> bytes:
    document = b""
    for chunk in response.iter_content(65536):
        document += chunk
        if len(document) > _FEED_MAX_BYTES:
            raise FeedInvalid("the document is too large")
    return document


def refresh() -> int:
    """Fetch today's rates where a feed is configured; returns how many are new. A failure is logged and changes nothing."""
    if not settings.HUB_RATES_URL:
        return 0
    try:
        with requests.get(settings.HUB_RATES_URL, timeout=(3, 10), stream=True) as response:
            response.raise_for_status()
            day, values = parse_feed(_read(response))
    except (requests.RequestException, FeedInvalid) as error:
        log.warning("rates_refresh_failed", error=type(error).__name__)
        return 0
    if day > clock.now().date():
        log.warning("rates_refresh_failed", error="published for a day to come")
        return 0
    before = Rate.objects.filter(on_date=day).count()
    Rate.objects.bulk_create([Rate(currency=code, on_date=day, rate=value) for code, value in values.items()], ignore_conflicts=True)
    return Rate.objects.filter(on_date=day).count() - before
