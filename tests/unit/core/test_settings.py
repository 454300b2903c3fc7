"""Production refuses to start with what is fine on a laptop. Each case is a process of its own."""

from __future__ import annotations

import base64
import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.environment import Environment, database_config
from tests.databases import ROOT

GOOD = {
    "HUB_SECRET_KEY": "k3J9x7QpZ2mW8vT5rY1nB6cL4dF0gH-sAeUiOp",
    "HUB_MASTER_KEYS": "2026:" + base64.b64encode(bytes(range(100, 132))).decode(),
    "HUB_INDEX_KEY": base64.b64encode(bytes(range(200, 232))).decode(),
    "HUB_PUBLIC_URL": "https://hub.example.test",
    "DATABASE_URL": "postgres://hub_app:app@127.0.0.1:1/hub",
}


def start(changes: dict[str, str | None], *, setup: bool = False) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    code = "from hub import settings; print(settings.HUB_ENV, settings.DEBUG)"
    if setup:
        code = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'hub.settings'; import django; django.setup(); print('ready')"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestProduction:
    def test_is_the_default_and_starts_with_good_values(self) -> None:
        done = start({})
        assert done.stdout.strip() == "production False", done.stderr

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"HUB_SECRET_KEY": None}, "HUB_SECRET_KEY"),
            ({"HUB_SECRET_KEY": ""}, "HUB_SECRET_KEY"),
            ({"HUB_SECRET_KEY": "short"}, "HUB_SECRET_KEY"),
            ({"HUB_SECRET_KEY": "a" * 50}, "HUB_SECRET_KEY"),
            ({"HUB_SECRET_KEY": "development-only-not-a-secret-at-all-000"}, "HUB_SECRET_KEY"),
            ({"HUB_SECRET_KEY": "change-me-change-me-change-me-change-me-0123456789"}, "HUB_SECRET_KEY"),
            ({"HUB_MASTER_KEYS": None}, "HUB_MASTER_KEYS"),
            ({"HUB_MASTER_KEYS": "dev:" + "aHVi" * 10 + "aHU="}, "HUB_MASTER_KEYS"),
            ({"HUB_INDEX_KEY": None}, "HUB_INDEX_KEY"),
            ({"HUB_INDEX_KEY": "aW5k" * 10 + "aW4="}, "HUB_INDEX_KEY"),
            ({"HUB_PUBLIC_URL": None}, "HUB_PUBLIC_URL"),
            ({"HUB_SIGN_UP_KEPT_DAYS": "0"}, "HUB_SIGN_UP_KEPT_DAYS"),
            ({"HUB_PUBLIC_URL": "http://hub.example.test"}, "HUB_PUBLIC_URL"),
            ({"HUB_DEBUG": "1"}, "HUB_DEBUG"),
            ({"SANDBOX_URL": "http://127.0.0.1:9009"}, "SANDBOX_URL"),
            ({"STRIPE_API_BASE": "http://127.0.0.1:9009"}, "STRIPE_API_BASE"),
            ({"HUB_ENV": "prod"}, "HUB_ENV"),
            ({"EMAIL_PORT": "smtp"}, "EMAIL_PORT"),
            ({"HUB_BEHIND_PROXY": "maybe"}, "HUB_BEHIND_PROXY"),
            ({"DATABASE_URL": "mysql://hub"}, "DATABASE_URL"),
        ],
    )
    def test_refuses(self, changes: dict[str, str | None], named: str) -> None:
        done = start(changes)
        assert done.returncode != 0
        assert "ImproperlyConfigured" in done.stderr
        assert named in done.stderr.strip().splitlines()[-1]
        value = changes[named]
        assert not value or len(value) < 20 or value not in done.stderr, "the value of a secret was printed"

    def test_refuses_master_keys_of_the_wrong_length(self) -> None:
        done = start({"HUB_MASTER_KEYS": "1:" + base64.b64encode(bytes(range(40, 64))).decode()}, setup=True)
        assert done.returncode != 0
        assert "HUB_MASTER_KEYS" in done.stderr.strip().splitlines()[-1]

    def test_may_be_told_to_serve_without_tls_of_its_own(self) -> None:
        assert start({"HUB_PUBLIC_URL": "http://hub.internal.test", "HUB_ALLOW_HTTP": "yes"}).returncode == 0


class TestDevelopment:
    def test_starts_with_nothing_set(self) -> None:
        done = start({**dict.fromkeys(GOOD), "HUB_ENV": "development"})
        assert done.stdout.strip() == "development False", done.stderr


class TestEnvironment:
    env = Environment({"YES": "On", "NO": "off", "LIST": " a, ,b ", "NUMBER": " 5 ", "EMPTY": ""})

    def test_reads_flags_lists_and_numbers(self) -> None:
        assert self.env.flag("YES", default=False)
        assert not self.env.flag("NO", default=True)
        assert self.env.flag("EMPTY", default=True)
        assert self.env.items("LIST", default=[]) == ["a", "b"]
        assert self.env.items("MISSING", default=["x"]) == ["x"]
        assert self.env.number("NUMBER", default=1) == 5
        assert self.env.number("EMPTY", default=1) == 1

    def test_names_what_is_wrong(self) -> None:
        for read in (
            lambda: self.env.flag("LIST", default=False),
            lambda: self.env.number("LIST", default=1),
            lambda: self.env.choice("YES", ("a", "b"), default="a"),
        ):
            with pytest.raises(ImproperlyConfigured, match=r"LIST|YES"):
                read()


class TestDatabaseConfig:
    def test_reads_an_address_with_odd_characters(self) -> None:
        config = database_config("postgresql://us%40er:p%2Fw%3A@db.example.test:6543/hub%20one")
        assert (config["USER"], config["PASSWORD"], config["HOST"], config["PORT"], config["NAME"]) == (
            "us@er",
            "p/w:",
            "db.example.test",
            "6543",
            "hub one",
        )

    def test_of_nothing_fails_on_use_only(self) -> None:
        assert database_config("")["PORT"] == "1"
