"""
What the hub's programs find in their environment.

Whatever the person has set themselves wins: a real DATABASE_URL, a real Stripe key, keys of their own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from hub.runtime import postgres, valkey
from hub.runtime.ports import free_port, is_free
from hub.runtime.state import PROJECT, State

SERVER_PORTS = ("postgres", "valkey", "sandbox", "sandbox_smtp")
# Well-known numbers are nicer to type; taken ones are replaced.
PREFERRED: Mapping[str, int] = {"sandbox": 9009, "sandbox_smtp": 9025}


@dataclass(frozen=True)
class Outside:
    """Servers that the person brought along instead of the embedded ones."""

    database: str
    owner: str
    redis: str

    @classmethod
    def given(cls, environ: Mapping[str, str]) -> Outside:
        database = environ.get("DATABASE_URL", "").strip()
        return cls(database, environ.get("DATABASE_OWNER_URL", "").strip() or database, environ.get("REDIS_URL", "").strip())


def choose_ports(state: State) -> dict[str, int]:
    """The recorded ports where they are still free, else new ones. Call it with the lock held and nothing of ours running."""
    recorded = state.settings().get("ports", {})
    chosen: dict[str, int] = {}
    for name in SERVER_PORTS:
        port = recorded.get(name)
        if not isinstance(port, int) or not is_free(port):
            port = free_port(preferred=PREFERRED.get(name), taken=set(chosen.values()))
        chosen[name] = port
    if chosen != recorded:
        state.save(ports=chosen)
    return chosen


def connections(state: State, environ: Mapping[str, str]) -> dict[str, str]:
    """DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL."""
    secrets, ports, outside = state.secrets(), state.settings().get("ports", {}), Outside.given(environ)
    found = {"DATABASE_URL": outside.database, "DATABASE_OWNER_URL": outside.owner, "REDIS_URL": outside.redis}
    if not outside.database:
        found["DATABASE_URL"] = postgres.url(postgres.APP_ROLE, secrets["postgres_app"], ports["postgres"])
        found["DATABASE_OWNER_URL"] = postgres.url(postgres.OWNER_ROLE, secrets["postgres_owner"], ports["postgres"])
    if not outside.redis:
        found["REDIS_URL"] = valkey.url(secrets["valkey"], ports["valkey"])
    return found


def hub_environment(state: State, environ: Mapping[str, str], *, public_url: str) -> dict[str, str]:
    """Everything that settings read, except which process this is."""
    secrets, ports = state.secrets(), state.settings().get("ports", {})
    sandbox = f"http://localhost:{ports['sandbox']}"
    defaults = {
        "HUB_ENV": "development",
        "HUB_SECRET_KEY": secrets["secret_key"],
        "HUB_MASTER_KEYS": secrets["master_keys"],
        "HUB_INDEX_KEY": secrets["index_key"],
        "HUB_PUBLIC_URL": public_url,
        "SANDBOX_URL": sandbox,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(ports["sandbox_smtp"]),
    }
    if not environ.get("STRIPE_SECRET_KEY"):
        # With a key of the person's own the real Stripe is asked, and its webhook secret is theirs to give.
        defaults |= {
            "STRIPE_API_BASE": sandbox,
            "STRIPE_SECRET_KEY": secrets["stripe_secret_key"],
            "STRIPE_WEBHOOK_SECRET": secrets["stripe_webhook_secret"],
        }
    if not environ.get("BANK_API_KEY"):
        defaults |= {"BANK_API_BASE": sandbox, "BANK_API_KEY": secrets["bank_api_key"]}
    given = {name: environ[name] for name in defaults if environ.get(name)}
    return {**defaults, **given, **connections(state, environ), "HUB_STATE_DIR": str(state.path)}


def sandbox_environment(state: State, hub: Mapping[str, str]) -> dict[str, str]:
    secrets, ports = state.secrets(), state.settings()["ports"]
    return {
        "SANDBOX_PORT": str(ports["sandbox"]),
        "SANDBOX_SMTP_PORT": str(ports["sandbox_smtp"]),
        "SANDBOX_URL": hub["SANDBOX_URL"],
        "HUB_SANDBOX_STATE": str(state.path / "sandbox"),
        "HUB_WEBHOOK_URL": f"{hub['HUB_PUBLIC_URL']}/webhooks/stripe/",
        "HUB_PUBLIC_URL": hub["HUB_PUBLIC_URL"],
        "STRIPE_SECRET_KEY": secrets["stripe_secret_key"],
        "STRIPE_WEBHOOK_SECRET": secrets["stripe_webhook_secret"],
        "BANK_API_KEY": secrets["bank_api_key"],
        # The application role: it reads the one row of the hub's clock.
        "SANDBOX_CLOCK_DATABASE_URL": hub["DATABASE_URL"],
    }


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What programs take over from the terminal, with the things that would only confuse them left out."""
    dropped = {
        "PORT",
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "MAKEOVERRIDES",
        "PYTHONHOME",
        "DJANGO_SETTINGS_MODULE",
        "GUNICORN_CMD_ARGS",
        "WEB_CONCURRENCY",
    }
    kept = {name: value for name, value in environ.items() if name not in dropped}
    # The programs talk to each other on this machine, which no proxy can do for them.
    local = ",".join(filter(None, [environ.get("no_proxy") or environ.get("NO_PROXY"), "localhost,127.0.0.1,::1"]))
    # Python's text files and output are UTF-8 also under LC_ALL=C.
    return {
        **kept,
        "no_proxy": local,
        "NO_PROXY": local,
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join([str(PROJECT), *filter(None, [environ.get("PYTHONPATH")])]),
    }
