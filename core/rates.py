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
_FEED_MAX_BYTES = 2_000_000


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


def _per_euro(currency: str, on: date) -> tuple[Decimal, date] | None:
    days, values = history().get(currency, ([], []))
    at = bisect_right(days, on)
    best = (values[at - 1], days[at - 1]) if at else None
    if best is None or best[1] < on:
        fed = Rate.objects.filter(currency=currency, on_date__lte=on).order_by("-on_date").first()
        if fed and (best is None or fed.on_date > best[1]):
            best = (fed.rate, fed.on_date)
    # The shipped history ends when the hub was packed; without a feed its last day must do, and is shown.
    newest_known = max(days[-1] if days else date.min, history_end())
    limit = min(on, newest_known) if not _fed_until() else on
    return best if best and best[1] >= limit - _STALE else None


@lru_cache(maxsize=1)
def history_end() -> date:
    return max(days[-1] for days, _values in history().values() if days)


def _fed_until() -> bool:
    return Rate.objects.filter(on_date__gt=history_end()).exists()


def rate(source: str, target: str, *, on: date | None = None) -> tuple[Decimal, date]:
    """
    Units of `target` for one unit of `source`, and the older of the two publishing dates.

    :raises RateMissing: one of the two has no rate on or shortly before that day.
    """
    day = on or clock.now().date()
    if source == target:
        return Decimal(1), day
    sides = [(Decimal(1), None) if code == BASE else _per_euro(code, day) for code in (source, target)]
    if sides[0] is None or sides[1] is None:
        raise RateMissing(source=source, target=target, on=day.isoformat())
    dates = [side[1] for side in sides if side is not None and side[1] is not None]
    return sides[1][0] / sides[0][0], min(dates)


def convert(money: Money, to: str, *, on: date | None = None, rounding: Rounding) -> Converted:
    """
    :raises RateMissing: no rate for that day; callers hold, they never guess.
    """
    value, day = rate(money.currency, to, on=on)
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
    if not rates or not all(value.is_finite() and value > 0 for value in rates.values()):
        raise FeedInvalid("a rate is not a positive number")
    return day, {code: value for code, value in rates.items() if code in CURRENCIES}


def refresh() -> int:
    """Fetch today's rates where a feed is configured; returns how many are new. A failure is logged and changes nothing."""
    if not settings.HUB_RATES_URL:
        return 0
    try:
        with requests.get(settings.HUB_RATES_URL, timeout=(3, 10), stream=True) as response:
            response.raise_for_status()
            document = response.raw.read(_FEED_MAX_BYTES + 1, decode_content=True)
        if len(document) > _FEED_MAX_BYTES:
            raise FeedInvalid("the document is too large")
        day, values = parse_feed(document)
    except (requests.RequestException, FeedInvalid) as error:
        log.warning("rates_refresh_failed", error=type(error).__name__)
        return 0
    if day > clock.now().date():
        log.warning("rates_refresh_failed", error="published for a day to come")
        return 0
    before = Rate.objects.filter(on_date=day).count()
    Rate.objects.bulk_create([Rate(currency=code, on_date=day, rate=value) for code, value in values.items()], ignore_conflicts=True)
    return Rate.objects.filter(on_date=day).count() - before
