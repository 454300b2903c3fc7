"""The process as a whole: its doors, its time, its rates, its end."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests
from lxml import etree
from psycopg2 import sql

from sandbox import rates
from sandbox.config import ConfigError, config_read
from sandbox.stripe.currencies import display
from tests.unit.sandbox.outside import ROOT, Sandbox, eventually

NAMES = {"e": "http://www.ecb.int/vocabulary/2002-08-01/eurofxref"}


def found(tree: etree._Element, path: str) -> list[Any]:
    result: Any = tree.xpath(path, namespaces=NAMES)
    return list(result)


class TestDoors:
    @pytest.mark.parametrize(
        "path", ["/", "/healthz", "/inbox/", "/payments/", "/events/", "/control/", "/control/state", "/assets/sandbox.css"]
    )
    def test_open(self, sandbox: Sandbox, path: str) -> None:
        sandbox.paid()
        sandbox.paid("4000000000000341")
        answer = requests.get(sandbox.url + path, timeout=5)
        assert answer.status_code == 200
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    def test_have_no_dead_link(self, sandbox: Sandbox) -> None:
        sandbox.session()
        seen, waiting = set(), {"/"}
        while waiting:
            path = waiting.pop()
            seen.add(path)
            answer = requests.get(sandbox.url + path, timeout=5)
            assert answer.status_code == 200, path
            if "html" in answer.headers["Content-Type"]:
                targets = {str(target) for target in found(etree.HTML(answer.text), "//a/@href | //link/@href | //img/@src")}
                waiting |= {target for target in targets if target.startswith("/")} - seen
        assert {"/inbox/", "/control/", "/ecb/eurofxref-daily.xml"} <= seen

    def test_do_not_open_for_foreign_names(self, sandbox: Sandbox) -> None:
        assert requests.get(f"{sandbox.url}/inbox/", headers={"Host": "evil.example"}, timeout=5).status_code == 400

    def test_let_no_foreign_page_give_orders(self, sandbox: Sandbox) -> None:
        assert (
            requests.post(f"{sandbox.url}/control/reset", data="{}", headers={"Content-Type": "text/plain"}, timeout=5).status_code == 415
        )
        assert requests.post(f"{sandbox.url}/control/", data={"action": "reset"}, timeout=5).status_code == 403

    @pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
    def test_refuse_bad_json(self, sandbox: Sandbox, body: bytes) -> None:
        answer = requests.post(f"{sandbox.url}/control/faults", data=body, headers={"Content-Type": "application/json"}, timeout=5)
        assert answer.status_code == 400

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Content-Length": "2000000"}, 413),
            ({"Content-Length": "9" * 30}, 413),
            ({"Content-Length": "-5"}, 400),
            ({"Transfer-Encoding": "chunked"}, 411),
        ],
    )
    def test_refuse_huge_and_shapeless_bodies_unread(self, sandbox: Sandbox, headers: dict[str, str], status: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=5)
        connection.putrequest("POST", "/v1/refunds")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()

    def test_say_nothing_is_here_without_repeating_it(self, sandbox: Sandbox) -> None:
        answer = requests.get(f"{sandbox.url}/%3Cscript%3E", timeout=5)
        assert answer.status_code == 404
        assert "script" not in answer.text.lower().replace("description", "")

    def test_people_can_set_and_clear_faults_on_the_page(self, sandbox: Sandbox) -> None:
        browser = requests.Session()

        def act(**fields: str) -> requests.Response:
            form = etree.HTML(browser.get(f"{sandbox.url}/control/", timeout=5).text)
            token = str(found(form, "//input[@name='csrfmiddlewaretoken']/@value")[0])
            return browser.post(f"{sandbox.url}/control/", data={"csrfmiddlewaretoken": token, **fields}, timeout=5)

        assert act(action="fault", place="webhook", mode="late", seconds="3", count="2").status_code == 200
        assert sandbox.control("faults")["faults"]["webhook"] == {"mode": "late", "seconds": 3.0, "remaining": 2}
        assert act(action="fault", place="webhook", mode="blue").status_code == 400
        assert act(action="fault", place="create", mode="slow", seconds="1e9").status_code == 400
        assert act(action="resend", event="evt_nothing").status_code == 400
        act(action="reset")
        assert sandbox.control("faults")["faults"]["webhook"]["mode"] == "normal"


class TestProcess:
    def test_stops_when_told_and_leaves_no_error_behind(self, own_sandbox: Sandbox) -> None:
        own_sandbox.paid()
        assert own_sandbox.stop() == 0
        assert "Traceback" not in own_sandbox.log
        own_sandbox.start()

    def test_is_one_small_process(self, own_sandbox: Sandbox) -> None:
        own_sandbox.paid()
        assert own_sandbox.process
        status = Path(f"/proc/{own_sandbox.process.pid}/status")
        if not status.exists():
            pytest.skip("no /proc here")
        peak_kb = int(status.read_text().split("VmRSS:")[1].split()[0])
        assert peak_kb < 120_000

    def test_says_what_is_wrong_with_its_environment(self) -> None:
        for environ in ({}, {"HUB_SANDBOX_STATE": "x", "SANDBOX_PORT": "http"}, {"HUB_SANDBOX_STATE": "x", "SANDBOX_SMTP_PORT": "70000"}):
            with pytest.raises(ConfigError):
                config_read(environ)

    def test_imports_nothing_of_the_apps(self) -> None:
        apps = "core accounts compliance wallets payments openbanking budgeting products engagement hub formats stripe".split()
        code = (
            "import sys, sandbox.__main__, sandbox.web, sandbox.config, pathlib\n"
            "sandbox.web.app_make(sandbox.config.Config(state=pathlib.Path('x')))\n"
            "import sandbox.urls\n"
            f"print([name for name in {apps!r} if name in sys.modules])"
        )
        environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


class TestClock:
    @pytest.fixture
    def clock_url(self) -> Iterator[str]:
        """A database with a clock row, where one can be made."""
        owner = os.environ.get("DATABASE_OWNER_URL")
        if not owner:
            pytest.skip("no database server")
        name = f"sandbox_clock_{os.getpid()}"
        server = psycopg2.connect(owner)
        server.autocommit = True
        server.cursor().execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = owner.rpartition("/")[0] + f"/{name}"
        made = psycopg2.connect(url)
        made.autocommit = True
        made.cursor().execute("CREATE TABLE core_clock (id smallint PRIMARY KEY, offset_microseconds bigint NOT NULL)")
        made.cursor().execute("INSERT INTO core_clock VALUES (1, 0)")
        made.close()
        yield url
        server.cursor().execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        server.close()

    def test_moves_with_the_hub_s(self, own_sandbox: Sandbox, clock_url: str) -> None:
        own_sandbox.stop()
        own_sandbox.clock_url = clock_url
        own_sandbox.start()
        session = own_sandbox.session()
        database = psycopg2.connect(clock_url)
        database.autocommit = True
        database.cursor().execute("UPDATE core_clock SET offset_microseconds = %s", (25 * 3600 * 10**6,))
        database.close()
        eventually(lambda: _now(own_sandbox) > datetime.now(UTC) + timedelta(hours=1))
        assert timedelta(hours=24.9) < _now(own_sandbox) - datetime.now(UTC) < timedelta(hours=25.1)
        # A day later the session has expired, whoever asks.
        assert own_sandbox.api.v1.checkout.sessions.retrieve(session.id).status == "expired"

    def test_is_real_time_without_a_database(self, own_sandbox: Sandbox) -> None:
        own_sandbox.stop()
        own_sandbox.clock_url = "postgres://nobody:x@127.0.0.1:1/none"
        own_sandbox.start()
        assert abs((_now(own_sandbox) - datetime.now(UTC)).total_seconds()) < 3
        assert own_sandbox.paid().payment_status == "paid"


def _now(sandbox: Sandbox) -> datetime:
    return datetime.fromisoformat(requests.get(f"{sandbox.url}/healthz", timeout=5).json()["now"])


class TestRates:
    def test_are_published_in_the_bank_s_format(self, sandbox: Sandbox) -> None:
        answer = requests.get(f"{sandbox.url}/ecb/eurofxref-daily.xml", timeout=5)
        tree = etree.fromstring(answer.content)
        days = found(tree, "//e:Cube[@time]")
        assert len(days) == 1
        assert date.fromisoformat(days[0].get("time")) <= datetime.now(UTC).date()
        published = {cube.get("currency"): Decimal(cube.get("rate")) for cube in found(tree, "//e:Cube[@currency]")}
        assert set(published) == set(rates.CENTRE)
        assert Decimal("0.9") < published["USD"] < Decimal("1.3")

    def test_have_a_history(self, sandbox: Sandbox) -> None:
        tree = etree.fromstring(requests.get(f"{sandbox.url}/ecb/eurofxref-hist-90d.xml", timeout=5).content)
        days = [date.fromisoformat(cube.get("time")) for cube in found(tree, "//e:Cube[@time]")]
        assert days == sorted(days, reverse=True)
        assert 55 < len(days) < 66
        assert all(day.weekday() < 5 for day in days)

    def test_are_the_same_for_a_day_for_ever(self) -> None:
        assert [str(rates.rate_on(code, date(2026, 3, 2))) for code in ("USD", "JPY", "DKK")] == ["1.1082", "167.32", "7.4587"]

    def test_move_a_little_from_day_to_day(self) -> None:
        start = date(2026, 1, 1).toordinal()
        for code in rates.CENTRE:
            series = [rates.rate_on(code, date.fromordinal(start + day)) for day in range(365)]
            steps = [abs(after / before - 1) for before, after in pairwise(series)]
            assert max(steps) < Decimal("0.01"), code
            assert len(set(series)) > 5

    @pytest.mark.parametrize(
        ("moment", "day"),
        [
            (datetime(2026, 3, 2, 14, 59, tzinfo=UTC), date(2026, 2, 27)),
            (datetime(2026, 3, 2, 15, 0, tzinfo=UTC), date(2026, 3, 2)),
            (datetime(2026, 4, 6, 18, 0, tzinfo=UTC), date(2026, 4, 2)),  # Easter Monday
            (datetime(2026, 12, 26, 18, 0, tzinfo=UTC), date(2026, 12, 24)),
        ],
    )
    def test_come_out_in_the_afternoon_of_working_days(self, moment: datetime, day: date) -> None:
        assert rates.published_on(moment) == day


def test_amounts_are_shown_with_their_decimals() -> None:
    assert [display(123456, code) for code in ("eur", "jpy", "kwd")] == ["1,234.56 EUR", "123,456 JPY", "123.456 KWD"]
    assert display(-5, "eur") == "-0.05 EUR"
