"""
What happens after what: the only place that joins an event of one app to the reaction of another.

Each line is `subscribe(event, handler)`; a handler changes the database and schedules due work, it never uses the network.
"""

from __future__ import annotations

from accounts.services import closing_check_register
from budgeting import handlers as budgeting
from compliance import handlers as compliance
from core.events import subscribe
from engagement.notifications import handlers as notices
from engagement.webhooks import handlers as webhooks
from engagement.webhooks.types import TYPES as WEBHOOK_TYPES
from payments import handlers as payments
from payments import selectors as payment_selectors
from payments import statement_lines
from payments.bills import handlers as bills
from wallets import handlers as wallets
from wallets import selectors as wallet_selectors
from wallets.statements.texts import describer_register

# Prompt, because the page after sign-up shows the limits and the first wallet.
subscribe("accounts.person.signed_up", compliance.level_begin, prompt=True)
subscribe("accounts.person.signed_up", wallets.first_wallet_open, prompt=True)
subscribe("accounts.party.opened", compliance.level_begin, prompt=True)
subscribe("accounts.person.closed", wallets.wallets_close)

# Screening: asked for here, done by the screening process; whoever waits for a verdict goes on when it comes.
subscribe("accounts.person.signed_up", compliance.party_screen)
subscribe("accounts.person.changed", compliance.person_screen_again)
subscribe("accounts.party.opened", compliance.party_screen)
subscribe("accounts.party.changed", compliance.party_screen)
subscribe("compliance.identity.checked", compliance.identity_screen)
subscribe("compliance.screening.cleared", payments.held_try_again)
subscribe("compliance.case.released", payments.held_try_again)
subscribe("compliance.case.blocked", payments.held_give_up)

subscribe("compliance.level.changed", wallets.ceilings_follow, prompt=True)
subscribe("compliance.level.changed", payments.suspended_try_again)
subscribe("compliance.limit_rule.changed", wallets.ceilings_refresh_schedule)

subscribe("wallets.wallet.opened", wallets.ceilings_follow, prompt=True)
subscribe("wallets.wallet.opened", payments.suspended_try_again)

# A bill's run ends as its payment does; what is quicker than its own look.
for _ended in ("payout.posted", "payout.failed", "payout.cancelled", "transfer.cancelled"):
    subscribe(f"payments.{_ended}", bills.payment_follow)
subscribe("accounts.person.closed", bills.bills_end)

# The day's proof that people's money is there: providers are asked, and whoever runs the hub hears of a difference.
subscribe("wallets.safeguarding.reported", payments.providers_ask)
subscribe("wallets.safeguarding.different", notices.safeguarding_different)

# Who is told of what (docs/notices.md).
subscribe("payments.transfer.posted", notices.transfer_posted)
subscribe("payments.transfer.reversed", notices.transfer_reversed)
subscribe("payments.transfer.requires_approval", notices.approval_wanted)
for _held in ("payments.transfer.held", "payments.top_up.held", "payments.payout.held"):
    subscribe(_held, notices.payment_held)
subscribe("payments.transfer.cancelled", notices.payment_stopped)
subscribe("payments.payout.requires_approval", notices.approval_wanted)
subscribe("payments.payout.posted", notices.payout_posted)
subscribe("payments.payout.failed", notices.payout_failed)
subscribe("payments.payout.cancelled", notices.payment_stopped)
subscribe("payments.top_up.failed", notices.top_up_failed)
subscribe("payments.top_up.posted", notices.top_up_posted)
subscribe("payments.top_up.cancelled", notices.top_up_stopped)
subscribe("payments.bill.paid", notices.bill_paid)
subscribe("payments.bill.failed", notices.bill_failed)
subscribe("payments.bill.retrying", notices.bill_retrying)
subscribe("payments.bill.paused", notices.bill_paused)
subscribe("payments.bill.amount_refused", notices.bill_amount_refused)
subscribe("accounts.session.new_device", notices.new_device)
subscribe("accounts.password.changed", notices.password_changed)
subscribe("accounts.password.reset", notices.password_reset)
subscribe("accounts.email.changed", notices.email_changed)
subscribe("accounts.membership.added", notices.member_joined)
subscribe("accounts.membership.ended", notices.member_left)
subscribe("accounts.partner_consent.granted", notices.partner_granted)
subscribe("accounts.partner_consent.revoked", notices.partner_revoked)
subscribe("compliance.level.changed", notices.level_changed)
subscribe("compliance.identity.declined", notices.identity_declined)
subscribe("engagement.webhook.disabled", notices.webhook_disabled)

# Partners that may know are told by webhook (docs/webhooks.md).
for _told in WEBHOOK_TYPES:
    subscribe(_told, webhooks.publish)

# The one feed. A refund that a bank sends back after all moves the money again.
for _name in ("transfer.posted", "transfer.reversed", "top_up.posted", "payout.posted", "payout.failed", "refund.posted", "refund.failed"):
    subscribe(f"payments.{_name}", budgeting.feed_payment)
subscribe("accounts.person.changed", budgeting.feed_of_person_again)

# Why an account cannot be closed yet, in words for the person.
closing_check_register(wallet_selectors.closing_reasons)
closing_check_register(payment_selectors.closing_reasons)

# What the lines of a statement say besides their amounts.
describer_register(statement_lines.describe)
