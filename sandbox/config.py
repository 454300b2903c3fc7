import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class ConfigError(Exception):
    """The environment does not describe a sandbox that can start."""


@dataclass(frozen=True)
class Config:
    state: Path
    bind: str = "127.0.0.1"
    port: int = 9009
    smtp_port: int = 9025
    public_url: str = "http://127.0.0.1:9009"
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    # None: any key that starts with sk_test_ is let in.
    api_key: str | None = None
    # None: any key that starts with bk_test_.
    bank_key: str | None = None
    webhook_url: str | None = None
    webhook_secret: str = "whsec_sandbox"
    clock_database_url: str | None = None


def config_read(environ: Mapping[str, str] = os.environ) -> Config:
    """
    :raises ConfigError: a port is not a number, or the state folder is missing from the environment.
    """
    state = environ.get("HUB_SANDBOX_STATE")
    if not state:
        raise ConfigError("HUB_SANDBOX_STATE names the folder for the sandbox's state; it is not set.")
    port = _port(environ, "SANDBOX_PORT", 9009)
    public_url = environ.get("SANDBOX_URL") or f"http://127.0.0.1:{port}"
    return Config(
        state=Path(state),
        bind=environ.get("SANDBOX_BIND") or Config.bind,
        port=port,
        smtp_port=_port(environ, "SANDBOX_SMTP_PORT", 9025),
        public_url=public_url.rstrip("/"),
        hosts=(*Config.hosts, *environ.get("SANDBOX_HOSTS", "").split()),
        api_key=environ.get("STRIPE_SECRET_KEY") or None,
        bank_key=environ.get("BANK_API_KEY") or None,
        webhook_url=environ.get("HUB_WEBHOOK_URL") or None,
        webhook_secret=environ.get("STRIPE_WEBHOOK_SECRET") or Config.webhook_secret,
        clock_database_url=environ.get("SANDBOX_CLOCK_DATABASE_URL") or None,
    )


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ConfigError(f"{name} is not a port: {text!r}")
    return int(text)
