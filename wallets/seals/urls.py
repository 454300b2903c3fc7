from __future__ import annotations

from django.urls import path

from wallets.seals import views

urlpatterns = [
    path("ledger/", views.ledger, name="ledger"),
    path("ledger/head.json", views.ledger_head, name="ledger_head"),
    path("ledger/seals.json", views.ledger_seals, name="ledger_seals"),
    path("ledger/seals/<int:number>.json", views.ledger_seal, name="ledger_seal"),
    path("ledger/verify_proof.py", views.verify_script, name="ledger_verify_script"),
]
