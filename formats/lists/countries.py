"""Countries by the names that lists write, as ISO 3166 codes. What is not a country has no code."""

# ruff: noqa: E501 (tables read better unbroken)
from __future__ import annotations

import unicodedata
from functools import lru_cache

from babel import Locale

# Lists write some countries as no reference does.
_MORE = {
    "russian federation": "RU", "iran (islamic republic of)": "IR", "syrian arab republic": "SY", "republic of korea": "KR", "korea, south": "KR",
    "democratic people's republic of korea": "KP", "korea, north": "KP", "north korea": "KP", "south korea": "KR",
    "democratic republic of the congo": "CD", "congo, democratic republic of the": "CD", "congo, republic of the": "CG", "cote d ivoire": "CI",
    "cote d'ivoire": "CI", "united kingdom of great britain and northern ireland": "GB", "england": "GB", "united states of america": "US", "usa": "US",
    "viet nam": "VN", "united republic of tanzania": "TZ", "bolivia (plurinational state of)": "BO", "venezuela (bolivarian republic of)": "VE",
    "lao people's democratic republic": "LA", "burma": "MM", "myanmar": "MM", "west bank": "PS", "gaza": "PS", "palestinian": "PS", "palestine": "PS",
    "state of palestine": "PS", "region: gaza": "PS", "republic of moldova": "MD", "macedonia, the former yugoslav republic of": "MK", "czech republic": "CZ",
    "brunei": "BN", "cape verde": "CV", "swaziland": "SZ", "turkey": "TR", "the gambia": "GM", "bahamas, the": "BS", "hong kong": "HK", "macau": "MO",
    "kosovo": "XK", "holy see": "VA", "crimea": "UA", "region: crimea": "UA", "bosnia and herzegovina": "BA", "trinidad and tobago": "TT",
}  # fmt: skip

# Two letters that stand for no country.
_NONE = frozenset({"ZZ", "EU", "EZ", "UN", "QO", "XA", "XB"})


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return " ".join("".join(char for char in folded if not unicodedata.combining(char)).split())


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    known = {
        _plain(name).replace("&", "and"): code
        for code, name in Locale("en").territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NONE
    }
    return known | _MORE


def country_code(text: str) -> str:
    """ "Russian Federation" is "RU"; "" when it is not a country we know."""
    plain = _plain(text).strip(" .;,")
    found = _names().get(plain) or _names().get(plain.removeprefix("the "))
    return found or (plain.upper() if len(plain) == 2 and plain.upper() in _names().values() else "")
