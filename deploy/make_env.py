"""
`python3 deploy/secrets.py https://hub.example` writes deploy/*.env with random passwords and keys, readable by you only.

It never overwrites one: data written with lost keys is lost data. `--sandbox` writes a hub that talks to the pretend
outside world instead of a card provider, a bank and a mail server; its address is then http://localhost:8000.
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
SANDBOX_ADDRESS = "http://localhost:8000"


def key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def password() -> str:
    # Letters and digits only: it stands in addresses, too.
    return secrets.token_hex(24)


def files(address: str, *, sandbox: bool) -> dict[str, dict[str, str]]:
    owner, app, redis = password(), password(), password()
    hub = {
        "HUB_ENV": "production",
        "HUB_PUBLIC_URL": address,
        "HUB_SECRET_KEY": secrets.token_urlsafe(50),
        "HUB_MASTER_KEYS": f"1:{key()}",
        "HUB_INDEX_KEY": key(),
        "HUB_METRICS_TOKEN": secrets.token_urlsafe(32),
        "HUB_BEHIND_PROXY": "yes",
        "HUB_TRUSTED_PROXIES": "1",
        "HUB_TIME_ZONE": "Europe/Stockholm",
        "HUB_RATES_URL": "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml",
        "DATABASE_URL": f"postgres://hub_app:{app}@postgres:5432/hub",
        "REDIS_URL": f"redis://:{redis}@redis:6379/0",
        "EMAIL_HOST": "",
        "EMAIL_PORT": "587",
        "EMAIL_HOST_USER": "",
        "EMAIL_HOST_PASSWORD": "",
        "STRIPE_SECRET_KEY": "",
        "STRIPE_WEBHOOK_SECRET": "",
        "BANK_API_BASE": "",
        "BANK_API_KEY": "",
    }
    found = {
        "hub": hub,
        "owner": {"DATABASE_OWNER_URL": f"postgres://hub_owner:{owner}@postgres:5432/hub"},
        "postgres": {
            "POSTGRES_PASSWORD": password(),
            "HUB_OWNER_PASSWORD": owner,
            "HUB_APP_PASSWORD": app,
            "HUB_BACKUP_PASSWORD": password(),
        },
        "redis": {"REDIS_PASSWORD": redis},
    }
    if sandbox:
        found["sandbox"] = _outside(hub)
    return found


def _outside(hub: dict[str, str]) -> dict[str, str]:
    """Let the hub meet the pretend world, and say what that one is told. Pretending is refused in production."""
    shared = {
        "STRIPE_SECRET_KEY": f"sk_test_sandbox_{password()}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{password()}",
        "BANK_API_KEY": f"bk_test_{password()}",
        "SANDBOX_URL": "http://localhost:9009",
    }
    inside = "http://sandbox:9009"
    no_proxy = {"HUB_BEHIND_PROXY": "no", "HUB_TRUSTED_PROXIES": "0", "HUB_RATES_URL": f"{inside}/ecb/eurofxref-daily.xml"}
    hub |= {"HUB_ENV": "development", **no_proxy, **shared, "STRIPE_API_BASE": inside, "BANK_API_BASE": inside}
    hub |= {"HUB_ALLOWED_HOSTS": "localhost,web", "EMAIL_HOST": "sandbox", "EMAIL_PORT": "9025", "EMAIL_USE_TLS": "no"}
    return {
        **shared,
        "SANDBOX_BIND": "0.0.0.0",
        "SANDBOX_HOSTS": "sandbox",
        "HUB_SANDBOX_STATE": "/tmp/sandbox",
        "HUB_WEBHOOK_URL": "http://web:8000/webhooks/stripe/",
        "SANDBOX_CLOCK_DATABASE_URL": hub["DATABASE_URL"],
    }


def write(folder: Path, found: Mapping[str, Mapping[str, str]]) -> list[Path]:
    """:raises FileExistsError: one of them is there; then none is written."""
    paths = {name: folder / f"{name}.env" for name in found}
    for path in paths.values():
        if path.exists():
            raise FileExistsError(path)
    for name, values in found.items():
        handle = os.open(paths[name], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("".join(f"{variable}={value}\n" for variable, value in values.items()))
    return list(paths.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", nargs="?", default="", help="the https:// address people will see")
    parser.add_argument("--sandbox", action="store_true")
    chosen = parser.parse_args()
    if not chosen.sandbox and not chosen.address.startswith("https://"):
        parser.error("the address must start with https://")
    try:
        written = write(HERE, files(SANDBOX_ADDRESS if chosen.sandbox else chosen.address, sandbox=chosen.sandbox))
    except FileExistsError as error:
        print(f"{error} is there already, and the keys in it may be in use; nothing was written.", file=sys.stderr)
        return 1
    print("Wrote " + ", ".join(path.name for path in written) + ". Put a copy of hub.env where no copy of the database is.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
