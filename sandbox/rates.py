"""Exchange rates in the format of the European Central Bank's daily file. Made up, smooth, and the same for a date for ever."""

import hashlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from xml.sax.saxutils import quoteattr

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from sandbox.world import world

# Units of the currency for one euro, written with as many decimals as the publisher writes.
CENTRE = {
    "USD": "1.0850", "JPY": "163.50", "CZK": "25.150", "DKK": "7.4600", "GBP": "0.84500", "HUF": "396.50", "PLN": "4.2950",
    "RON": "4.9760", "SEK": "11.3500", "CHF": "0.94500", "ISK": "148.50", "NOK": "11.6200", "TRY": "36.4500", "AUD": "1.6450",
    "BRL": "6.1200", "CAD": "1.4950", "CNY": "7.8200", "HKD": "8.4500", "IDR": "17350.00", "ILS": "3.9800", "INR": "91.2500",
    "KRW": "1485.00", "MXN": "20.4500", "MYR": "4.7600", "NZD": "1.8150", "PHP": "62.750", "SGD": "1.4450", "THB": "38.250",
    "ZAR": "19.8500",
}  # fmt: skip

# Waves as (length in days, height as a share of the rate): days, weeks and seasons.
_WAVES = ((3, Decimal("0.004")), (23, Decimal("0.012")), (170, Decimal("0.03")))
# The crown is pegged.
_CALM = {"DKK": Decimal("0.02")}
_PUBLISHED_AT_HOUR = 15  # UTC; about 16:00 in Frankfurt
HISTORY_DAYS = 90


def rate_on(currency: str, day: date) -> Decimal:
    centre = Decimal(CENTRE[currency])
    drift = sum((height * _wave(currency, length, day) for length, height in _WAVES), Decimal(0)) * _CALM.get(currency, Decimal(1))
    return (centre * (1 + drift)).quantize(centre)


def _wave(currency: str, length: int, day: date) -> Decimal:
    """A number from -1 to 1 that moves in straight lines from one random knot to the next."""
    index, step = divmod(day.toordinal(), length)
    start, end = (_knot(currency, length, number) for number in (index, index + 1))
    return start + (end - start) * step / length


def _knot(currency: str, length: int, index: int) -> Decimal:
    digest = hashlib.sha256(f"{currency}/{length}/{index}".encode()).digest()
    return Decimal(int.from_bytes(digest[:4])) / Decimal(2**31) - 1


def published_on(moment: datetime) -> date:
    """The day of the latest file at that moment."""
    day = moment.date() if moment.hour >= _PUBLISHED_AT_HOUR else moment.date() - timedelta(days=1)
    while is_closed(day):
        day -= timedelta(days=1)
    return day


def is_closed(day: date) -> bool:
    """Weekends and the holidays of the euro's payment system."""
    if day.weekday() >= 5 or (day.month, day.day) in {(1, 1), (5, 1), (12, 25), (12, 26)}:
        return True
    return day - _easter(day.year) in {timedelta(days=-2), timedelta(days=1)}


def _easter(year: int) -> date:
    """Western Easter by the anonymous Gregorian computus."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def _document(days: list[date]) -> str:
    cubes = "\n".join(
        f"\t\t<Cube time={quoteattr(day.isoformat())}>\n"
        + "\n".join(f'\t\t\t<Cube currency="{currency}" rate="{_plain(rate_on(currency, day))}"/>' for currency in CENTRE)
        + "\n\t\t</Cube>"
        for day in days
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">\n'
        "\t<gesmes:subject>Reference rates</gesmes:subject>\n"
        "\t<gesmes:Sender>\n\t\t<gesmes:name>Sandbox (made-up rates)</gesmes:name>\n\t</gesmes:Sender>\n"
        f"\t<Cube>\n{cubes}\n\t</Cube>\n</gesmes:Envelope>\n"
    )


def _plain(rate: Decimal) -> str:
    # The publisher drops trailing noughts.
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@require_safe
def daily(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_document([published_on(world().clock.now())]), content_type="text/xml; charset=utf-8")


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    latest = published_on(world().clock.now())
    days = [latest - timedelta(days=back) for back in range(HISTORY_DAYS)]
    return HttpResponse(_document([day for day in days if not is_closed(day)]), content_type="text/xml; charset=utf-8")
