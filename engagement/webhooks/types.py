"""What can be told to partners: the event's name for them, the scope they need, and who of a payment may know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.api.scopes import LIMITS_READ, PAYOUTS_READ, TOP_UPS_READ, TRANSFERS_READ, WALLETS_READ


@dataclass(frozen=True, slots=True)
class EventType:
    """`subject` names the id in the hub's event that the partner gets; `both` also tells the payee's partners."""

    name: str
    scope: str
    subject: str
    state: str
    both: bool = False


# By the hub's own event. A payee's partners learn only of what has settled.
TYPES: Final[dict[str, EventType]] = {
    "payments.transfer.posted": EventType("transfer.posted", TRANSFERS_READ, "payment_id", "posted", both=True),
    "payments.transfer.requires_approval": EventType("transfer.requires_approval", TRANSFERS_READ, "payment_id", "requires_approval"),
    "payments.transfer.held": EventType("transfer.held", TRANSFERS_READ, "payment_id", "held"),
    "payments.transfer.expired": EventType("transfer.expired", TRANSFERS_READ, "payment_id", "expired"),
    "payments.transfer.cancelled": EventType("transfer.cancelled", TRANSFERS_READ, "payment_id", "cancelled"),
    "payments.transfer.reversed": EventType("transfer.reversed", TRANSFERS_READ, "payment_id", "reversed", both=True),
    "payments.payout.requires_approval": EventType("payout.requires_approval", PAYOUTS_READ, "payment_id", "requires_approval"),
    "payments.payout.held": EventType("payout.held", PAYOUTS_READ, "payment_id", "held"),
    "payments.payout.expired": EventType("payout.expired", PAYOUTS_READ, "payment_id", "expired"),
    "payments.payout.cancelled": EventType("payout.cancelled", PAYOUTS_READ, "payment_id", "cancelled"),
    "payments.payout.posted": EventType("payout.posted", PAYOUTS_READ, "payment_id", "posted"),
    "payments.payout.failed": EventType("payout.failed", PAYOUTS_READ, "payment_id", "failed"),
    "payments.top_up.posted": EventType("top_up.posted", TOP_UPS_READ, "payment_id", "posted"),
    "payments.top_up.held": EventType("top_up.held", TOP_UPS_READ, "payment_id", "held"),
    "payments.top_up.cancelled": EventType("top_up.cancelled", TOP_UPS_READ, "payment_id", "cancelled"),
    "payments.top_up.failed": EventType("top_up.failed", TOP_UPS_READ, "payment_id", "failed"),
    "payments.refund.posted": EventType("refund.posted", TOP_UPS_READ, "payment_id", "posted"),
    "payments.refund.failed": EventType("refund.failed", TOP_UPS_READ, "payment_id", "failed"),
    "wallets.wallet.opened": EventType("wallet.opened", WALLETS_READ, "wallet_id", "open"),
    "wallets.wallet.closed": EventType("wallet.closed", WALLETS_READ, "wallet_id", "closed"),
    "compliance.level.changed": EventType("level.changed", LIMITS_READ, "", ""),
}
PING: Final = "ping"
NAMES: Final = sorted({kind.name for kind in TYPES.values()})
