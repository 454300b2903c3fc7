from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import psycopg2
import pytest
from django.db import Error, connection, transaction

from core import audit
from core.models import AuditEntry
from tests import databases


class TestRecord:
    def test_says_who_did_what_to_whom(self, db: None) -> None:
        person, party, thing = SimpleNamespace(pk=uuid4(), is_staff=False), uuid4(), uuid4()
        entry = audit.record("tests.done", actor=person, party_id=party, object_type="thing", object_id=thing, n=1, other=thing)
        entry.refresh_from_db()
        assert (entry.action, entry.actor_id, entry.actor_kind, entry.party_id) == ("tests.done", person.pk, "person", party)
        assert (entry.object_type, entry.object_id, entry.data) == ("thing", str(thing), {"n": 1, "other": str(thing)})

    def test_tells_the_hub_and_staff_from_people(self, db: None) -> None:
        assert audit.record("tests.done").actor_kind == "hub"
        assert audit.record("tests.done", actor=SimpleNamespace(pk=uuid4(), is_staff=True)).actor_kind == "staff"

    def test_goes_away_with_its_transaction(self, fresh_db: str) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            audit.record("tests.done")
            raise ZeroDivisionError
        assert not AuditEntry.objects.exists()


class TestEntriesFor:
    def test_gives_the_partys_own_newest_first_without_what_may_not_be_told(self, db: None) -> None:
        mine, other = uuid4(), uuid4()
        audit.record("tests.first", party_id=mine)
        audit.record("compliance.case.opened", party_id=mine)
        audit.record("tests.second", party_id=mine)
        audit.record("tests.third", party_id=other)
        assert [entry.action for entry in audit.entries_for(mine)] == ["tests.second", "tests.first"]


CHANGES = [
    "UPDATE core_audit_entry SET action = 'x'",
    "DELETE FROM core_audit_entry",
    "TRUNCATE core_audit_entry",
    "UPDATE core_audit_entry SET action = 'x' WHERE false",
]


class TestAppendOnly:
    @pytest.mark.parametrize("change", CHANGES)
    def test_for_the_application(self, db: None, change: str) -> None:
        audit.record("tests.done")
        with pytest.raises(Error, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)

    @pytest.mark.parametrize("change", CHANGES)
    def test_for_the_owner_too(self, fresh_db: str, change: str) -> None:
        audit.record("tests.done")
        owner = psycopg2.connect(databases.url_for(fresh_db, owner=True))
        with pytest.raises(psycopg2.Error, match="append-only"), owner.cursor() as cursor:
            cursor.execute(change)
        owner.close()
        assert AuditEntry.objects.count() == 1
