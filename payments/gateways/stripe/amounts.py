"""
Stripe's minor units are not always ISO 4217's.

Source: Stripe's documentation, "Supported currencies": zero-decimal, three-decimal and special-case currencies.
"""

from __future__ import annotations

from core.money import CURRENCIES, Money
from payments.gateways.base import GatewayRefused

# ISO has no decimals for these, yet Stripe counts two (and wants them zero).
_TWO_AT_STRIPE = frozenset({"ISK", "UGX"})
# ISO has two decimals for the ariary, Stripe none.
_NONE_AT_STRIPE = frozenset({"MGA"})
# Three decimals, the last of which Stripe wants to be zero.
_THREE = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# Stripe settles no money in these.
_ABSENT = frozenset({"CUP", "ERN", "IQD", "IRR", "KPW", "LYD", "SDG", "SSP", "SYP", "TMT", "VES", "ZWG"})


def to_stripe(amount: Money) -> int:
    """
    Stripe's whole number for an amount.

    :raises GatewayRefused: Stripe cannot carry the currency or the precision.
    """
    if amount.currency in _ABSENT:
        raise GatewayRefused("currency_not_supported")
    if amount.currency in _TWO_AT_STRIPE:
        return amount.amount * 100
    if amount.currency in _NONE_AT_STRIPE:
        return _divide(amount.amount, 100)
    if amount.currency in _THREE:
        return _divide(amount.amount, 10) * 10
    return amount.amount


def from_stripe(number: int, currency: str) -> Money:
    """
    :raises ValueError: Stripe names a currency, or an amount of it, that does not exist.
    """
    code = currency.upper()
    if code not in CURRENCIES or (code in _TWO_AT_STRIPE and number % 100):
        raise ValueError(f"no such amount: {number} {code[:8]}")
    if code in _TWO_AT_STRIPE:
        return Money(number // 100, code)
    if code in _NONE_AT_STRIPE:
        return Money(number * 100, code)
    return Money(number, code)


def _divide(number: int, by: int) -> int:
    whole, rest = divmod(number, by)
    if rest:
        raise GatewayRefused("amount_too_precise")
    return whole
