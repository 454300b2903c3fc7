"""/metrics: who may read it, and what it says when all is well and when it is not."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from core import clock
from core.models import Delivery, DueWork, Event

TOKEN = "a token of 24 characters"
# Name, labels, number: the whole grammar of Prometheus' text format that we use.
LINE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)+)\})? (-?[\d.]+)')


@pytest.fixture
def collector(settings: Any) -> Client:
    settings.HUB_METRICS_TOKEN, settings.HUB_METRICS_ADDRESSES = TOKEN, []
    return Client(headers={"authorization": f"Bearer {TOKEN}"})


def read(client: Client) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found: dict[str, float] = {}
    for text in answer.content.decode().splitlines():
        if text.startswith("# "):
            assert re.match(r"# (HELP \w+ \S|TYPE \w+ (gauge|histogram)$)", text)
            continue
        match = LINE.fullmatch(text)
        assert match, text
        found[match[1] + (f"{{{match[2]}}}" if match[2] else "")] = float(match[3])
    return found


class TestAccess:
    def test_nobody_else_finds_it(self, settings: Any, collector: Client) -> None:
        for header in ({}, {"authorization": "Bearer another"}, {"authorization": f"Basic {TOKEN}"}, {"authorization": "Bearer "}):
            assert Client(headers=header).get("/metrics").status_code == 404
        settings.HUB_METRICS_TOKEN = ""
        assert Client(headers={"authorization": "Bearer "}).get("/metrics").status_code == 404

    @pytest.mark.parametrize(("address", "status"), [("10.1.2.3", 200), ("10.2.2.3", 404), ("::1", 200), ("nonsense", 404)])
    def test_or_a_known_address(self, db: None, settings: Any, address: str, status: int) -> None:
        settings.HUB_METRICS_TOKEN, settings.HUB_METRICS_ADDRESSES = "", ["10.1.0.0/16", "::1"]
        assert Client(REMOTE_ADDR=address).get("/metrics").status_code == status

    def test_a_visitor_cannot_write_an_address(self, settings: Any) -> None:
        settings.HUB_METRICS_TOKEN, settings.HUB_METRICS_ADDRESSES = "", ["10.1.2.3"]
        assert Client(REMOTE_ADDR="192.0.2.1", headers={"x-forwarded-for": "10.1.2.3"}).get("/metrics").status_code == 404


def test_all_is_well(db: None, collector: Client) -> None:
    Client().get("/healthz")
    Client().get("/terms/nothing/")
    found = read(collector)
    assert found["hub_database_up"] == 1
    assert found["hub_outbox_lag_seconds"] == found["hub_outbox_dead"] == 0
    assert found['hub_due_lag_seconds{queue="default"}'] == found['hub_due_lag_seconds{queue="screening"}'] == 0
    assert all(value == 0 for name, value in found.items() if name.startswith("hub_ledger_imbalance"))
    assert any(name.startswith("hub_request_seconds_count") and 'status="404"' in name for name in found)
    assert not any("healthz" in name for name in found)


def test_what_lies_is_seen(db: None, collector: Client) -> None:
    now = clock.now()
    event = Event.objects.create(name="test.happened", created_at=now - timedelta(seconds=90), fanned_out=True)
    Delivery.objects.create(event=event, handler="waits", next_at=now)
    Delivery.objects.create(event=event, handler="died", next_at=now, state=Delivery.State.DEAD)
    for key, state in (("late", DueWork.State.WAITING), ("dead", DueWork.State.DEAD)):
        DueWork.objects.create(kind="core.mail", run_key=key, due_at=now - timedelta(seconds=30), created_at=now, state=state)
    found = read(collector)
    assert 85 < found["hub_outbox_lag_seconds"] < 120
    assert found["hub_outbox_dead"] == found['hub_due_dead{kind="core.mail"}'] == 1
    assert 25 < found['hub_due_lag_seconds{queue="default"}'] < 60


def test_books_that_do_not_balance(db: None, collector: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.delete("hub.metrics.ledger")
    monkeypatch.setattr("hub.metrics.sums", lambda: {"EUR": -5, "SEK": 0})
    found = read(collector)
    assert (found['hub_ledger_imbalance{currency="EUR"}'], found['hub_ledger_imbalance{currency="SEK"}']) == (-5, 0)
    cache.delete("hub.metrics.ledger")
