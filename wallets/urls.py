from __future__ import annotations

from django.urls import path

from wallets import views
from wallets.pots.urls import urlpatterns as pots
from wallets.seals.urls import urlpatterns as seals
from wallets.statements.urls import urlpatterns as statements

urlpatterns = [
    path("wallets/", views.wallets, name="wallets"),
    path("wallets/open/", views.wallet_open, name="wallet_open"),
    path("wallets/<uuid:wallet_id>/close/", views.wallet_close, name="wallet_close"),
    *pots,
    *seals,
    *statements,
]
