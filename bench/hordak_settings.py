"""Settings of the peer's process: django-hordak on a database of its own (HORDAK_DATABASE_URL), and nothing of the hub."""

from __future__ import annotations

import os

from core.environment import database_config

SECRET_KEY = "bench"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "mptt",
    "django_extensions",
    "djmoney",
    "hordak",
]
DATABASES = {"default": database_config(os.environ["HORDAK_DATABASE_URL"])}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
HORDAK_INTERNAL_CURRENCY = "EUR"
HORDAK_CURRENCIES = ["EUR"]
