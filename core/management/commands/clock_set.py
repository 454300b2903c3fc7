"""Move the hub's time, for every process and the sandbox (development only)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from core import clock
from core.db import SYSTEM, scope
from core.management.output import HubCommand

_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


def duration(text: str) -> timedelta:
    """
    An ISO 8601 duration of weeks, days, hours, minutes and seconds ("P1D", "PT90M", "-P1W").

    :raises ValueError: another form; months and years have no fixed length.
    """
    found = _DURATION.fullmatch(text.strip().upper())
    if not found or not any(found[unit] for unit in ("weeks", "days", "hours", "minutes", "seconds")):
        raise ValueError(f"{text!r} is not a duration like P1D or PT2H")
    value = timedelta(**{unit: int(found[unit] or 0) for unit in ("weeks", "days", "hours", "minutes", "seconds")})
    return -value if found["sign"] else value


class Command(HubCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--to", help="an ISO 8601 moment; without a zone it is UTC")
        how.add_argument("--advance", help="an ISO 8601 duration such as P1D")
        how.add_argument("--real", action="store_true", help="back to the real time")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            self.fail("The clock can only be moved in development.", code=2)
        with scope(SYSTEM):
            try:
                clock.offset_set(self._offset(options))
            except (ValueError, OverflowError) as error:
                self.fail(str(error), code=2)
            self.say({"now": clock.now().isoformat(), "offset_seconds": clock.offset().total_seconds()}, as_json=options["json"])

    def _offset(self, options: dict[str, Any]) -> timedelta:
        if options["real"]:
            return timedelta()
        if options["advance"]:
            moved = clock.offset() + duration(options["advance"])
        else:
            to = datetime.fromisoformat(options["to"])
            moved = (to if to.tzinfo else to.replace(tzinfo=UTC)) - clock.real()
        if not datetime(1970, 1, 1, tzinfo=UTC) < clock.real() + moved < datetime(2200, 1, 1, tzinfo=UTC):
            raise ValueError("the time must be between 1970 and 2200")
        return moved
