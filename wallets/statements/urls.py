from __future__ import annotations

from django.urls import path

from wallets.statements import views

urlpatterns = [
    path("wallets/<uuid:wallet_id>/statements/", views.statements, name="statements"),
    path("wallets/<uuid:wallet_id>/statements/<slug:form>", views.statement_file, name="statement_file"),
]
