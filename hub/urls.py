"""All addresses of the hub."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from oauth2_provider.views import OAuthServerMetadataView

from hub import health, metrics, reports

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("csp-report/", reports.csp_report, name="csp_report"),
    path("admin/", admin.site.urls),
    # --- the API and OAuth
    path("api/", include("hub.api_urls")),
    path("o/", include("accounts.oauth_urls")),
    path(".well-known/oauth-authorization-server", OAuthServerMetadataView.as_view(), name="oauth_metadata"),
    # --- pages
    path("", include("hub.page_urls")),
    path("", include("accounts.urls")),
    path("", include("compliance.urls")),
    path("", include("wallets.urls")),
    path("", include("payments.urls")),
    path("", include("budgeting.urls")),
    path("", include("payments.webhook_urls")),
    path("", include("engagement.urls")),
]

handler400 = "hub.errors.bad_request"
handler403 = "hub.errors.permission_denied"
handler404 = "hub.errors.page_not_found"
handler500 = "hub.errors.server_error"
