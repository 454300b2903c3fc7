"""Addresses of the pages in hub/views.py."""

from __future__ import annotations

from django.urls import path

from hub import views

urlpatterns = [
    path("", views.home, name="home"),
    path("hide-amounts/", views.hide_amounts, name="hide_amounts"),
    path("language/", views.language, name="language"),
    path("wallets/<uuid:wallet_id>/", views.wallet, name="wallet"),
    path("more/", views.more, name="more"),
    path("more/limits/", views.limits, name="limits"),
    path("more/help/", views.help_page, name="help"),
    path("styleguide/", views.styleguide, name="styleguide"),
]
