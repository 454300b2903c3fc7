"""Everything that moves money, one function per use case."""

from payments.services.bank_orders import payout_check
from payments.services.mismatches import RIGHT as MISMATCH_RIGHT
from payments.services.mismatches import mismatch_look, mismatch_propose
from payments.services.movements import Movement, Outcome
from payments.services.payouts import (
    PayoutPreview,
    payout_approval_request,
    payout_approve,
    payout_cancel,
    payout_expire,
    payout_preview,
    payout_send,
)
from payments.services.refunds import refund_check, refund_refresh, top_up_refund
from payments.services.releases import held_cancel, held_release
from payments.services.reversals import transfer_reverse
from payments.services.top_ups import TopUp, top_up_cancel, top_up_check, top_up_refresh, top_up_release, top_up_start
from payments.services.transfers import (
    Preview,
    transfer_approval_request,
    transfer_approve,
    transfer_cancel,
    transfer_expire,
    transfer_preview,
    transfer_send,
)
from payments.services.webhooks import webhook_process, webhook_receive

__all__ = [
    "MISMATCH_RIGHT",
    "Movement",
    "Outcome",
    "PayoutPreview",
    "Preview",
    "TopUp",
    "held_cancel",
    "held_release",
    "mismatch_look",
    "mismatch_propose",
    "payout_approval_request",
    "payout_approve",
    "payout_cancel",
    "payout_check",
    "payout_expire",
    "payout_preview",
    "payout_send",
    "refund_check",
    "refund_refresh",
    "top_up_cancel",
    "top_up_check",
    "top_up_refresh",
    "top_up_refund",
    "top_up_release",
    "top_up_start",
    "transfer_approval_request",
    "transfer_approve",
    "transfer_cancel",
    "transfer_expire",
    "transfer_preview",
    "transfer_reverse",
    "transfer_send",
    "webhook_process",
    "webhook_receive",
]
