"""A hub on a PostgreSQL and a Redis that are there already: it brings none along, and works as well."""

from __future__ import annotations

import json
import os
import signal
import time

import psycopg2
import pytest

from hub.runtime import processes, servers
from tests import databases
from tests.soak.hub import soak_hub
from tests.soak.load import Load

OWN = {"supervisor", "web", "worker", "screening", "beat", "sandbox"}


@pytest.mark.timeout(600)
def test_people_pay_and_nothing_stays_behind_but_the_data(fresh_db: str) -> None:
    given = {
        "DATABASE_URL": databases.url_for(fresh_db),
        "DATABASE_OWNER_URL": databases.url_for(fresh_db, owner=True),
        "REDIS_URL": os.environ["REDIS_URL"],
    }
    with soak_hub(given) as hub:
        listed = json.loads(hub.command("manage.py", "hub_status", "--json"))
        assert listed["ready"]
        assert {item["name"] for item in listed["processes"]} == OWN
        # Screened by their process, and funded by card: every program of the hub's has its part in it.
        people = json.loads(hub.command("-m", "tests.soak.people", "2"))
        load = Load(hub.url, people, seed=1)
        load.start()
        load.stop()
        load.join(time.monotonic() + 60)
        assert servers.recorded_home(hub.state) is None
        hub.process.send_signal(signal.SIGINT)
        assert hub.process.wait(60) == 0
        assert processes.marked(hub.state.mark) == []
    connection = psycopg2.connect(given["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM payments_payment WHERE state = 'posted'")
        assert cursor.fetchone()[0] >= len(people)
    connection.close()
