from __future__ import annotations

from django.urls import path

from payments import views
from payments.bills.urls import urlpatterns as bills

urlpatterns = [
    path("pay/", views.pay, name="pay"),
    path("pay/send/", views.send, name="send"),
    path("pay/send/<uuid:draft_id>/", views.send, name="send_change"),
    path("pay/send/<uuid:draft_id>/amount/", views.send_amount, name="send_amount"),
    path("pay/send/<uuid:draft_id>/check/", views.send_check, name="send_check"),
    path("pay/top-up/", views.top_up, name="top_up"),
    path("pay/top-up/<uuid:payment_id>/", views.top_up_status, name="top_up_status"),
    path("activity/", views.activity, name="activity"),
    path("activity/<uuid:payment_id>/", views.payment, name="payment"),
    path("activity/<uuid:payment_id>/status/", views.payment_status, name="payment_status"),
    path("activity/<uuid:payment_id>/go-on/", views.payment_go_on, name="payment_go_on"),
    path("activity/<uuid:payment_id>/ask-again/", views.payment_ask_again, name="payment_ask_again"),
    path("activity/<uuid:payment_id>/cancel/", views.payment_cancel, name="payment_cancel"),
    *bills,
]
