from __future__ import annotations

from django.urls import path

from wallets.pots import views

urlpatterns = [
    path("wallets/<uuid:wallet_id>/pots/new/", views.pot_new, name="pot_new"),
    path("wallets/pots/<uuid:pot_id>/", views.pot, name="pot"),
    path("wallets/pots/<uuid:pot_id>/change/", views.pot_change, name="pot_change"),
    path("wallets/pots/<uuid:pot_id>/put/", views.pot_put, name="pot_put"),
    path("wallets/pots/<uuid:pot_id>/take/", views.pot_take, name="pot_take"),
    path("wallets/pots/<uuid:pot_id>/close/", views.pot_close, name="pot_close"),
]
