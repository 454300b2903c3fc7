"""Passwords and keys of one state folder: made once, then kept, since data written with lost keys is lost data."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from hub.runtime.files import read_json, write_json


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _password() -> str:
    # Letters and digits only, so that it stands in a URL, in SQL and in a configuration file without any quoting.
    return secrets.token_hex(20)


MAKERS: Mapping[str, Callable[[], str]] = {
    "postgres_owner": _password,
    "postgres_app": _password,
    "valkey": _password,
    "secret_key": lambda: secrets.token_urlsafe(50),
    "master_keys": lambda: f"1:{_key()}",
    "index_key": _key,
    "stripe_secret_key": lambda: f"sk_test_sandbox_{secrets.token_hex(16)}",
    "bank_api_key": lambda: f"bk_test_{secrets.token_hex(16)}",
    "stripe_webhook_secret": lambda: f"whsec_{secrets.token_hex(24)}",
}


def load(path: Path) -> dict[str, str]:
    """The folder's secrets; those that a newer version needs are added."""
    found = {name: value for name, value in read_json(path).items() if isinstance(value, str)}
    missing = {name: make() for name, make in MAKERS.items() if name not in found}
    if missing:
        found |= missing
        write_json(path, found)
    return found
