from __future__ import annotations

from django.urls import path

from payments.proofs import views

urlpatterns = [
    path("activity/<uuid:payment_id>/proofs/", views.proofs, name="payment_proofs"),
    path("activity/<uuid:payment_id>/proofs/<int:transfer>.json", views.proof, name="payment_proof"),
]
