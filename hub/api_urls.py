"""Addresses of the API, version 1. No trailing slashes; whatever else begins with /api/ answers a problem document."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from accounts import api as accounts
from accounts import api_auth
from core.api.views import UnknownRouteView
from hub import api_docs

_v1: list[URLPattern | URLResolver] = [
    path("auth/app/v1/", include((api_auth.urlpatterns, "headless"))),
    path("me", accounts.MeView.as_view()),
    path("payees", accounts.PayeesView.as_view()),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(_v1)),
    path("schema/", SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[], throttle_classes=[]), name="api_schema"),
    path("docs/", api_docs.docs, name="api_docs"),
    re_path(r"", UnknownRouteView.as_view()),
]
