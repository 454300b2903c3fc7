"""Payment providers by name. A provider is imported when it is first asked for, so that its SDK costs nothing before."""

from __future__ import annotations

import functools
from importlib import import_module

from payments.gateways.base import BankGateway, Gateway

_FOLDERS = {"stripe": "payments.gateways.stripe.client"}
NAMES = tuple(_FOLDERS)


@functools.cache
def gateway(name: str) -> Gateway:
    """
    The provider's gateway, made from the settings.

    :raises KeyError: no provider of that name.
    """
    made: Gateway = import_module(_FOLDERS[name]).gateway_from_settings()
    return made


@functools.cache
def bank_gateway() -> BankGateway:
    """The bank that carries out payouts, made from the settings."""
    from payments.gateways.bank.client import gateway_from_settings

    return gateway_from_settings()
