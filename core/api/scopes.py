"""What a token may be allowed to do, in the words people read when they agree to it."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PROFILE_READ: Final = "profile:read"
WALLETS_READ: Final = "wallets:read"
WALLETS_WRITE: Final = "wallets:write"
POTS_READ: Final = "pots:read"
POTS_WRITE: Final = "pots:write"
TRANSFERS_READ: Final = "transfers:read"
TRANSFERS_WRITE: Final = "transfers:write"
TOP_UPS_READ: Final = "top_ups:read"
TOP_UPS_WRITE: Final = "top_ups:write"
PAYOUTS_READ: Final = "payouts:read"
PAYOUTS_WRITE: Final = "payouts:write"
LIMITS_READ: Final = "limits:read"
BILLS_READ: Final = "bills:read"
BILLS_WRITE: Final = "bills:write"
WEBHOOKS_MANAGE: Final = "webhooks:manage"
BUDGETS_READ: Final = "budgets:read"
BUDGETS_WRITE: Final = "budgets:write"

SCOPES: Final[dict[str, str | Promise]] = {
    PROFILE_READ: _("See your name, e-mail address, language and home currency"),
    WALLETS_READ: _("See wallets, balances and their history"),
    WALLETS_WRITE: _("Open wallets and close empty ones"),
    POTS_READ: _("See pots and what is in them"),
    POTS_WRITE: _("Open, change and close pots, and move money between an account and its own pots"),
    TRANSFERS_READ: _("See transfers"),
    TRANSFERS_WRITE: _("Look up payees and ask to send money; you approve every payment yourself"),
    TOP_UPS_READ: _("See top-ups"),
    TOP_UPS_WRITE: _("Start top-ups; you pay on the card provider's own page"),
    PAYOUTS_READ: _("See money sent to bank accounts, with the account numbers"),
    PAYOUTS_WRITE: _("Ask to send money to bank accounts; you approve every payment yourself"),
    LIMITS_READ: _("See limits and how much of them is used"),
    BILLS_READ: _("See bills and what is coming"),
    BILLS_WRITE: _("Set up, change, pause and end bills; you approve new ones and changes yourself"),
    WEBHOOKS_MANAGE: _("Choose where the program itself is told of what you let it see"),
    BUDGETS_READ: _("See what money was spent on, budgets and what is safe to spend"),
    BUDGETS_WRITE: _("Set budgets and file transactions under categories"),
}
# What a program does about itself, with its own credentials: nobody consents to it, and no person's session holds it.
PROGRAMS_ONLY: Final = frozenset({WEBHOOKS_MANAGE})
PEOPLES: Final = frozenset(SCOPES) - PROGRAMS_ONLY
