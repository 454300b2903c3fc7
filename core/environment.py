"""Typed reading of environment variables; the only place that touches os.environ for settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# Values that have been printed somewhere: fine on a laptop, never in production.
KNOWN_SECRETS = ("change-me", "changeme", "secret", "password", "insecure", "development-only", "aHViaHViaHVi", "aW5kaW5kaW5k")


class Environment:
    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = os.environ if values is None else values

    def text(self, name: str, *, default: str) -> str:
        return self.values.get(name, default).strip()

    def items(self, name: str, *, default: Sequence[str]) -> list[str]:
        found = self.text(name, default="")
        return [item.strip() for item in found.split(",") if item.strip()] if found else list(default)

    def flag(self, name: str, *, default: bool) -> bool:
        found = self.text(name, default="").lower()
        if found in ("1", "true", "yes", "on"):
            return True
        if found in ("0", "false", "no", "off"):
            return False
        if found:
            raise ImproperlyConfigured(f"{name} must be yes or no, not {found!r}.")
        return default

    def number(self, name: str, *, default: int) -> int:
        found = self.text(name, default="")
        if not found:
            return default
        try:
            return int(found)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a whole number, not {found!r}.") from None

    def choice(self, name: str, choices: Sequence[str], *, default: str) -> str:
        found = self.text(name, default="") or default
        if found not in choices:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {found!r}.")
        return found

    def secret(self, name: str, *, production: bool, minimum: int = 1, default: str = "development-only-not-a-secret-at-all-000") -> str:
        found = self.text(name, default="")
        if not production:
            return found or default
        if not found:
            raise ImproperlyConfigured(f"{name} is not set; production needs it.")
        if len(found) < minimum:
            raise ImproperlyConfigured(f"{name} is too short: {minimum} characters at least.")
        if any(known in found for known in KNOWN_SECRETS) or len(set(found)) < 8:
            raise ImproperlyConfigured(f"{name} is a well-known or trivial value; make a random one.")
        return found


def database_config(url: str) -> dict[str, Any]:
    """Django's connection settings for a postgres:// URL. An empty URL gives settings that fail on use, not on import."""
    parts = urlsplit(url or "postgres://missing@127.0.0.1:1/missing")
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must start with postgres://")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "127.0.0.1",
        "PORT": str(parts.port or 5432),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": "hub"},
    }
