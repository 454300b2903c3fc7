from __future__ import annotations

from django.urls import path

from payments.bills import views

urlpatterns = [
    path("pay/bills/", views.bills, name="bills"),
    path("pay/bills/new/", views.bill_new, name="bill_new"),
    path("pay/bills/new/<uuid:draft_id>/", views.bill_new, name="bill_new_change"),
    path("pay/bills/new/<uuid:draft_id>/terms/", views.bill_terms, name="bill_terms"),
    path("pay/bills/new/<uuid:draft_id>/check/", views.bill_check, name="bill_check"),
    path("pay/bills/<uuid:bill_id>/", views.bill, name="bill"),
    path("pay/bills/<uuid:bill_id>/change/", views.bill_change, name="bill_change"),
    path("pay/bills/<uuid:bill_id>/end/", views.bill_end, name="bill_end"),
    path("pay/bills/<uuid:bill_id>/amount/", views.bill_amount, name="bill_amount"),
    path("pay/bills/<uuid:bill_id>/ask/", views.bill_ask, name="bill_ask"),
    path("pay/bills/<uuid:bill_id>/do/<slug:act>/", views.bill_act, name="bill_act"),
]
