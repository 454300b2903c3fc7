"""Checks and canonical forms of what people type about themselves; pure functions."""

from __future__ import annotations

import functools
import re
import unicodedata
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.numbers import get_territory_currencies
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.emails import email_canonical
from accounts.errors import EmailInvalid, HandleInvalid, HandleTaken, LanguageUnknown, NameInvalid, TimeZoneUnknown
from core.money import CURRENCIES

NAME_MAX = 100
_HANDLE = re.compile(r"[a-z0-9_](?:[a-z0-9_]|\.(?!\.)){1,28}[a-z0-9_]")
# Zero width (non-)joiners are part of how Persian and many Indian names are written.
_JOINERS = "\u200c\u200d"

# Names that would let a stranger speak for the house, or that addresses use.
_RESERVED = (
    "about abuse account accounts admin administrator all anonymous api app auth bank billing board bot ceo cfo compliance "
    "contact customer deleted demo erased everyone finance fraud help helpdesk here hub info legal login mail me moderator "
    "money moneyteam news nobody noreply null official ops owner pay payment payments payout police postmaster press "
    "privacy refund refunds root sandbox security settings signup staff status support sys sysadmin system tax team terms "
    "test topup transfer treasury trust undefined unknown user wallet webmaster welcome you "
)
RESERVED_HANDLES = frozenset(_RESERVED.split())


def email_checked(text: str) -> str:
    """
    The canonical address.

    :raises EmailInvalid: not an address.
    """
    email = email_canonical(text)
    try:
        validate_email(email)
    except ValidationError:
        raise EmailInvalid from None
    if len(email) > 254 or not email.isascii():
        raise EmailInvalid
    return email


def name_checked(text: str) -> str:
    """
    One line without invisible or direction-changing characters (they let a name pretend to be another one).

    :raises NameInvalid: empty or longer than 100 characters.
    """
    kept = "".join(c if c in _JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp") else " " for c in text)
    name = unicodedata.normalize("NFC", " ".join(kept.split()))
    if not name or len(name) > NAME_MAX or not any(c.isalnum() for c in name):
        raise NameInvalid
    return name


def handle_checked(text: str) -> str:
    """
    The canonical handle without its @.

    :raises HandleInvalid: wrong shape.
    :raises HandleTaken: a name the house keeps for itself.
    """
    handle = handle_canonical(text)
    if not handle_well_formed(handle):
        raise HandleInvalid
    reserved = RESERVED_HANDLES | {re.sub(r"[^a-z0-9_]", "", settings.HUB_NAME.lower())}
    # hub_support and hub.support speak for the house as much as support does.
    if handle in reserved or handle.replace("_", "").replace(".", "") in reserved:
        raise HandleTaken
    return handle


def handle_canonical(text: str) -> str:
    return unicodedata.normalize("NFKC", text.strip()).casefold().removeprefix("@")


def handle_well_formed(handle: str) -> bool:
    return _HANDLE.fullmatch(handle) is not None


def language_checked(code: str) -> str:
    """:raises LanguageUnknown: not one the pages are written in."""
    if code not in dict(settings.LANGUAGES):
        raise LanguageUnknown
    return code


@functools.lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """Zones people live in: "Europe/Stockholm", not "posix/..." or "EST5EDT"."""
    regions = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    return ("UTC", *sorted(zone for zone in available_timezones() if zone.split("/", 1)[0] in regions and "/" in zone))


def time_zone_checked(name: str) -> str:
    """:raises TimeZoneUnknown: not in the time zone database."""
    if name not in time_zones():
        raise TimeZoneUnknown
    return name


# Countries with several zones: where most of their people live.
_MAIN_ZONES = {
    "US": "America/New_York", "CA": "America/Toronto", "BR": "America/Sao_Paulo", "MX": "America/Mexico_City", "AU": "Australia/Sydney",
    "RU": "Europe/Moscow", "CN": "Asia/Shanghai", "ES": "Europe/Madrid", "PT": "Europe/Lisbon", "DE": "Europe/Berlin",
    "GB": "Europe/London", "FR": "Europe/Paris", "ID": "Asia/Jakarta", "NZ": "Pacific/Auckland", "AR": "America/Argentina/Buenos_Aires",
}  # fmt: skip


def region_guess(accept_language: str) -> str | None:
    """The country in a browser's Accept-Language ("sv-SE,sv;q=0.9" -> "SE"), or the one its first language suggests."""
    for part in accept_language.split(",")[:5]:
        tag = part.split(";", 1)[0].strip()[:35]
        try:
            locale = Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError, TypeError):
            continue
        if locale.territory:
            return locale.territory
        likely = get_global("likely_subtags").get(locale.language)
        if likely and likely.split("_")[-1].isalpha() and len(likely.split("_")[-1]) == 2:
            return str(likely.split("_")[-1])
    return None


def currency_guess(region: str | None, *, default: str) -> str:
    if region:
        for code in get_territory_currencies(region) or []:
            if code in CURRENCIES:
                return str(code)
    return default


def time_zone_guess(region: str | None, *, default: str) -> str:
    if region in _MAIN_ZONES:
        return _MAIN_ZONES[region]
    zones = [zone for zone, territory in get_global("zone_territories").items() if territory == region and zone in time_zones()]
    return str(zones[0]) if len(zones) == 1 else default


def public_name(name: str) -> str:
    """First name and initial ("Åsa L."): enough to recognise whom one pays, not enough to look people up by."""
    parts = name.split()
    if len(parts) < 2:
        return name
    return f"{parts[0]} {parts[-1][0]}."
