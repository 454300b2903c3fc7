"""
Whose money an account of the ledger stands for, told by its code.

Wallets and pots, and what people are owed whose wallet could not take it (`suspense:...`), are owed to people. `provider:NAME`
is where their money lies: at a card provider or a bank, on accounts that hold nothing else. Every other system account is the
operator's own: fees earned, and `own:NAME`, its own money at the same provider. Money that is earned stays mixed with people's
until it is moved from `provider:NAME` to `own:NAME`, and so does a loss until the operator has made it good.
"""

from __future__ import annotations

from typing import Final

PROVIDER: Final = "provider:"
SUSPENSE: Final = "suspense:"
OWN: Final = "own:"


def own_code(provider: str) -> str:
    """The operator's own money at a provider."""
    return f"{OWN}{provider}"


def provider_code(provider: str) -> str:
    """People's money at a provider."""
    return f"{PROVIDER}{provider}"
