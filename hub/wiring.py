"""
What happens after what: the only place that joins an event of one app to the reaction of another.

Each line is `subscribe(event, handler)`; a handler changes the database and schedules due work, it never uses the network.
"""

from __future__ import annotations

from accounts.services import closing_check_register
from compliance import handlers as compliance
from core.events import subscribe
from payments import handlers as payments
from payments import selectors as payment_selectors
from wallets import handlers as wallets
from wallets import selectors as wallet_selectors

# Prompt, because the page after sign-up shows the limits and the first wallet.
subscribe("accounts.person.signed_up", compliance.level_begin, prompt=True)
subscribe("accounts.person.signed_up", wallets.first_wallet_open, prompt=True)
subscribe("accounts.party.opened", compliance.level_begin, prompt=True)
subscribe("accounts.person.closed", wallets.wallets_close)

subscribe("compliance.level.changed", wallets.ceilings_follow, prompt=True)
subscribe("compliance.level.changed", payments.suspended_try_again)
subscribe("compliance.limit_rule.changed", wallets.ceilings_refresh_schedule)

subscribe("wallets.wallet.opened", wallets.ceilings_follow, prompt=True)
subscribe("wallets.wallet.opened", payments.suspended_try_again)

# Why an account cannot be closed yet, in words for the person.
closing_check_register(wallet_selectors.closing_reasons)
closing_check_register(payment_selectors.closing_reasons)
