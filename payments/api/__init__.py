"""The API of payments, a module for each thing it is about."""

from payments.api.activity import ActivityView
from payments.api.payouts import PayoutApprovalView, PayoutCancelView, PayoutCompleteView, PayoutsView, PayoutView
from payments.api.top_ups import TopUpsView, TopUpView
from payments.api.transfers import TransferApprovalView, TransferCancelView, TransferCompleteView, TransfersView, TransferView

__all__ = [
    "ActivityView",
    "PayoutApprovalView",
    "PayoutCancelView",
    "PayoutCompleteView",
    "PayoutView",
    "PayoutsView",
    "TopUpView",
    "TopUpsView",
    "TransferApprovalView",
    "TransferCancelView",
    "TransferCompleteView",
    "TransferView",
    "TransfersView",
]
