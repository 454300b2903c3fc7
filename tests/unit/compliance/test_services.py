from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Party, Person
from compliance.errors import LevelUnknown, RuleInPast
from compliance.limits import level_for, limits_for
from compliance.models import LimitRule, PartyLevel
from compliance.services import level_set, limit_rule_set
from core.errors import Forbidden
from core.models import AuditEntry, Event
from core.money import AmountNotPositive


@pytest.mark.django_db
class TestLevelSet:
    def test_history_is_half_open(self, asa: Party, officer: Person, now: datetime) -> None:
        later = now + timedelta(days=1)
        level_set(party_id=asa.id, level=3, by=None, reason="signed_up", now=now)
        level_set(party_id=asa.id, level=1, by=officer, reason="passport", now=later)
        assert level_for(asa.id, later - timedelta(microseconds=1)) == 3
        assert level_for(asa.id, later) == 1
        assert list(PartyLevel.objects.order_by("active_from").values_list("level", "active_to")) == [(3, later), (1, None)]

    def test_tells_once_and_writes_it_down(self, asa: Party, officer: Person, now: datetime) -> None:
        first = level_set(party_id=asa.id, level=2, by=officer, reason="checked", now=now)
        assert level_set(party_id=asa.id, level=2, by=officer, reason="checked", now=now + timedelta(hours=1)) == first
        event = Event.objects.get(name="compliance.level.changed")
        assert (event.party_id, event.data["level"]) == (asa.id, 2)
        assert AuditEntry.objects.get(action="compliance.level.set").actor_id == officer.id

    def test_twice_in_one_moment_keeps_the_later(self, asa: Party, now: datetime) -> None:
        level_set(party_id=asa.id, level=3, by=None, reason="a", now=now)
        level_set(party_id=asa.id, level=2, by=None, reason="b", now=now)
        assert level_for(asa.id, now) == 2
        assert PartyLevel.objects.count() == 1

    @pytest.mark.parametrize("level", [0, 4, -1])
    def test_an_unknown_level_is_refused(self, asa: Party, officer: Person, now: datetime, level: int) -> None:
        with pytest.raises(LevelUnknown):
            level_set(party_id=asa.id, level=level, by=officer, reason="", now=now)

    def test_only_staff_may(self, asa: Party, now: datetime) -> None:
        customer = Person.objects.create_user("asa@example.com", "a long pass phrase")
        with pytest.raises(Forbidden):
            level_set(party_id=asa.id, level=1, by=customer, reason="me", now=now)

    def test_the_database_keeps_one_open_level(self, asa: Party, now: datetime) -> None:
        PartyLevel.objects.create(party=asa, level=3, active_from=now)
        with pytest.raises(IntegrityError), transaction.atomic():
            PartyLevel.objects.create(party=asa, level=2, active_from=now + timedelta(days=1))


@pytest.mark.django_db
class TestLimitRuleSet:
    def set(self, officer: Person, now: datetime, *, amount: int = 20_000, since: datetime | None = None) -> LimitRule:
        return limit_rule_set(level=3, window="day", direction="out", amount_minor=amount, active_from=since or now, by=officer, now=now)

    def day_limit(self, party: Party, at: datetime) -> int:
        return next(line.limit.amount for line in limits_for(party.id, at) if (line.window, line.direction) == ("day", "out"))

    def test_holds_from_its_moment_on(self, asa: Party, officer: Person, now: datetime) -> None:
        self.set(officer, now, since=now + timedelta(days=7))
        assert self.day_limit(asa, now + timedelta(days=7) - timedelta(microseconds=1)) == 15_000
        assert self.day_limit(asa, now + timedelta(days=7)) == 20_000
        assert AuditEntry.objects.filter(action="compliance.limit_rule.set").count() == 1

    def test_ends_where_a_planned_one_begins(self, asa: Party, officer: Person, now: datetime) -> None:
        self.set(officer, now, amount=30_000, since=now + timedelta(days=7))
        self.set(officer, now, amount=20_000)
        assert [self.day_limit(asa, now + timedelta(days=days)) for days in (-1, 0, 6, 7)] == [15_000, 20_000, 20_000, 30_000]

    def test_may_be_corrected_before_it_begins(self, asa: Party, officer: Person, now: datetime) -> None:
        since = now + timedelta(days=7)
        self.set(officer, now, amount=30_000, since=since)
        self.set(officer, now, amount=25_000, since=since)
        assert self.day_limit(asa, since) == 25_000

    def test_does_not_rewrite_the_past(self, officer: Person, now: datetime) -> None:
        with pytest.raises(RuleInPast):
            self.set(officer, now, since=now - timedelta(seconds=1))

    def test_is_not_negative(self, officer: Person, now: datetime) -> None:
        with pytest.raises(AmountNotPositive):
            self.set(officer, now, amount=-1)

    def test_only_staff_may(self, now: datetime) -> None:
        with pytest.raises(Forbidden):
            self.set(Person.objects.create_user("asa@example.com", "a long pass phrase"), now)


@pytest.mark.django_db
class TestRules:
    def test_a_new_hub_has_limits_for_every_level(self) -> None:
        assert LimitRule.objects.filter(level=3, window="day", direction="in").get().amount_minor == 15_000
        assert LimitRule.objects.count() == 3 * 7

    def test_the_database_refuses_two_at_one_moment(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            LimitRule.objects.create(level=3, window="day", direction="out", amount_minor=1, active_from=datetime(2026, 1, 1, tzinfo=UTC))

    @pytest.mark.parametrize(("window", "direction"), [("balance", "out"), ("day", "")])
    def test_the_database_refuses_a_direction_that_makes_no_sense(self, window: str, direction: str) -> None:
        LimitRule.objects.all().delete()
        with pytest.raises(IntegrityError), transaction.atomic():
            LimitRule.objects.create(
                level=3, window=window, direction=direction, amount_minor=1, active_from=datetime(2026, 1, 1, tzinfo=UTC)
            )
