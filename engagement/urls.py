"""Addresses of this app's pages."""

from __future__ import annotations

from django.urls import path

from engagement.notifications import views as notifications

urlpatterns = [
    path("notices/", notifications.notices, name="notices"),
    path("notices/bell/", notifications.bell, name="notices_bell"),
    path("notices/read/", notifications.notices_read_all, name="notices_read_all"),
    path("notices/<uuid:notice_id>/", notifications.notice_open, name="notice_open"),
    path("notices/<uuid:notice_id>/read/", notifications.notice_read, name="notice_read"),
    path("more/notices/", notifications.preferences, name="notice_preferences"),
]
