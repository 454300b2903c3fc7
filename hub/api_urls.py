"""Addresses of the API, version 1. No trailing slashes; whatever else begins with /api/ answers a problem document."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import DefaultContentNegotiation

from accounts import api as accounts
from accounts import api_auth
from budgeting import api as budgeting
from compliance import api as compliance
from compliance.identity import api as identity
from core.api.views import UnknownRouteView
from engagement.webhooks import api as webhooks
from hub import api_docs, selectors
from payments import api as payments
from payments.bills import api as bills
from payments.proofs import api as proofs
from wallets import api as wallets
from wallets.pots import api as pots
from wallets.seals import api as seals
from wallets.statements import api as statements

_v1: list[URLPattern | URLResolver] = [
    path("auth/app/v1/", include((api_auth.urlpatterns, "headless"))),
    path("me", accounts.MeView.as_view()),
    path("wallets", wallets.WalletsView.as_view()),
    path("wallets/<uuid:wallet_id>", wallets.WalletView.as_view()),
    path("wallets/<uuid:wallet_id>/close", wallets.WalletCloseView.as_view()),
    path("wallets/<uuid:wallet_id>/entries", wallets.EntriesView.as_view()),
    path("wallets/<uuid:wallet_id>/entries/<int:seq>/proof", seals.EntryProofView.as_view()),
    path("wallets/<uuid:wallet_id>/statements", statements.StatementsView.as_view()),
    path("wallets/<uuid:wallet_id>/pots", pots.PotsView.as_view()),
    path("pots/<uuid:pot_id>", pots.PotOneView.as_view()),
    path("pots/<uuid:pot_id>/put", pots.PotPutView.as_view()),
    path("pots/<uuid:pot_id>/take", pots.PotTakeView.as_view()),
    path("pots/<uuid:pot_id>/close", pots.PotCloseView.as_view()),
    path("currencies", wallets.CurrenciesView.as_view()),
    path("payees", accounts.PayeesView.as_view()),
    path("transfers", payments.TransfersView.as_view()),
    path("transfers/<uuid:transfer_id>", payments.TransferView.as_view()),
    path("transfers/<uuid:transfer_id>/approval", payments.TransferApprovalView.as_view()),
    path("transfers/<uuid:transfer_id>/complete", payments.TransferCompleteView.as_view()),
    path("transfers/<uuid:transfer_id>/cancel", payments.TransferCancelView.as_view()),
    path("top-ups", payments.TopUpsView.as_view()),
    path("top-ups/<uuid:top_up_id>", payments.TopUpView.as_view()),
    path("payouts", payments.PayoutsView.as_view()),
    path("payouts/<uuid:payout_id>", payments.PayoutView.as_view()),
    path("payouts/<uuid:payout_id>/approval", payments.PayoutApprovalView.as_view()),
    path("payouts/<uuid:payout_id>/complete", payments.PayoutCompleteView.as_view()),
    path("payouts/<uuid:payout_id>/cancel", payments.PayoutCancelView.as_view()),
    path("bills", bills.BillsView.as_view()),
    path("bills/coming", bills.BillsComingView.as_view()),
    path("bills/<uuid:bill_id>", bills.BillApiView.as_view()),
    path("bills/<uuid:bill_id>/complete", bills.BillCompleteView.as_view()),
    path("bills/<uuid:bill_id>/pause", bills.BillPauseView.as_view()),
    path("bills/<uuid:bill_id>/resume", bills.BillResumeView.as_view()),
    path("bills/<uuid:bill_id>/skip", bills.BillSkipView.as_view()),
    path("bills/<uuid:bill_id>/end", bills.BillEndView.as_view()),
    path("bills/<uuid:bill_id>/amount", bills.BillAmountView.as_view()),
    path("activity", payments.ActivityView.as_view()),
    path("activity/<uuid:payment_id>/proofs", proofs.PaymentProofsView.as_view()),
    path("webhook-endpoints", webhooks.EndpointsView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>", webhooks.EndpointView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/secret", webhooks.SecretView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/ping", webhooks.PingView.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/deliveries", webhooks.DeliveriesView.as_view()),
    path("webhook-deliveries/<uuid:delivery_id>/resend", webhooks.ResendView.as_view()),
    path("identity", identity.IdentityView.as_view()),
    path("feed", budgeting.FeedView.as_view()),
    path("feed/<uuid:item_id>", budgeting.FeedItemView.as_view()),
    path("feed/<uuid:item_id>/category", budgeting.FilingView.as_view()),
    path("categories", budgeting.CategoriesView.as_view()),
    path("budgets", budgeting.BudgetsView.as_view()),
    path("safe-to-spend", budgeting.SafeToSpendView.as_view()),
    path("limits", compliance.LimitsView.as_view(balance_of=selectors.reference_balance)),
]

# JSON unless YAML is asked for, by Accept or ?format=yaml.
_schema = SpectacularAPIView.as_view(
    authentication_classes=[],
    permission_classes=[],
    content_negotiation_class=DefaultContentNegotiation,
    renderer_classes=[OpenApiJsonRenderer, OpenApiYamlRenderer],
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(_v1)),
    path("schema/", _schema, name="api_schema"),
    path("docs/", api_docs.docs, name="api_docs"),
    re_path(r"", UnknownRouteView.as_view()),
]
