from __future__ import annotations

from django.urls import path

from payments.bills.urls import urlpatterns as bills
from payments.proofs.urls import urlpatterns as proofs
from payments.views import activity, bank, sending, top_ups

urlpatterns = [
    path("pay/", sending.pay, name="pay"),
    path("pay/send/", sending.send, name="send"),
    path("pay/send/<uuid:draft_id>/", sending.send, name="send_change"),
    path("pay/send/<uuid:draft_id>/amount/", sending.send_amount, name="send_amount"),
    path("pay/send/<uuid:draft_id>/check/", sending.send_check, name="send_check"),
    path("pay/bank/", bank.bank, name="bank"),
    path("pay/bank/<uuid:draft_id>/", bank.bank, name="bank_change"),
    path("pay/bank/<uuid:draft_id>/amount/", bank.bank_amount, name="bank_amount"),
    path("pay/bank/<uuid:draft_id>/check/", bank.bank_check, name="bank_check"),
    path("pay/top-up/", top_ups.top_up, name="top_up"),
    path("pay/top-up/<uuid:payment_id>/", top_ups.top_up_status, name="top_up_status"),
    path("activity/", activity.activity, name="activity"),
    path("activity/<uuid:payment_id>/", activity.payment, name="payment"),
    path("activity/<uuid:payment_id>/status/", activity.payment_status, name="payment_status"),
    path("activity/<uuid:payment_id>/go-on/", activity.payment_go_on, name="payment_go_on"),
    path("activity/<uuid:payment_id>/ask-again/", activity.payment_ask_again, name="payment_ask_again"),
    path("activity/<uuid:payment_id>/cancel/", activity.payment_cancel, name="payment_cancel"),
    *bills,
    *proofs,
]
