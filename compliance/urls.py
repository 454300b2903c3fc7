"""Addresses of this app's pages."""

from __future__ import annotations

from django.urls import path

from compliance.identity import views as identity

urlpatterns = [path("more/identity/", identity.identity, name="identity")]
