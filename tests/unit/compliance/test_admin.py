from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import Party, Person
from compliance.limits import level_for
from compliance.models import LimitRule
from core import clock
from core.models import AuditEntry
from tests.unit.core.test_admin import verified


def clerk_of(group: str) -> Client:
    cache.clear()
    clerk = Person.objects.create_user(f"{group}@example.com", "a long pass phrase", is_staff=True)
    clerk.groups.add(Group.objects.get(name=group))
    return verified(clerk)


@pytest.mark.django_db
class TestLimits:
    def add(self, client: Client, **change: object) -> int:
        form = {"level": 3, "window": "day", "direction": "out", "amount_minor": 200_00, "active_from_0": "", "active_from_1": "", **change}
        return client.post(reverse("admin:compliance_limitrule_add"), form).status_code

    def newest(self) -> LimitRule:
        return LimitRule.objects.get(level=3, window="day", direction="out", active_to=None)

    def test_a_new_limit_ends_the_old_one(self) -> None:
        assert self.add(clerk_of("compliance")) == 302
        assert self.newest().amount_minor == 200_00
        assert LimitRule.objects.filter(level=3, window="day", direction="out").count() == 2
        assert AuditEntry.objects.filter(action="compliance.limit_rule.set").exists()

    @pytest.mark.parametrize(
        "change",
        [
            {"amount_minor": -1},
            {"amount_minor": "1e400"},
            {"window": "balance"},
            {"direction": ""},
            {"level": 4},
            {"active_from_0": "2001-01-01", "active_from_1": "00:00"},
        ],
    )
    def test_what_makes_no_sense_is_shown_on_the_form(self, change: dict[str, object]) -> None:
        assert self.add(clerk_of("compliance"), **change) == 200
        assert self.newest().amount_minor == 150_00

    def test_support_only_reads(self) -> None:
        support = clerk_of("support")
        assert support.get(reverse("admin:compliance_limitrule_changelist")).status_code == 200
        assert self.add(support) == 403
        assert support.get(reverse("admin:compliance_usage_changelist")).status_code == 200


@pytest.mark.django_db
class TestLevels:
    def test_compliance_sets_a_level(self, asa: Party) -> None:
        client = clerk_of("compliance")
        answer = client.post(reverse("admin:compliance_partylevel_add"), {"party": str(asa.id), "level": 1, "reason": "passport"})
        assert (answer.status_code, level_for(asa.id, clock.now())) == (302, 1)
        assert client.get(reverse("admin:compliance_partylevel_changelist")).status_code == 200

    def test_support_does_not(self, asa: Party) -> None:
        answer = clerk_of("support").post(
            reverse("admin:compliance_partylevel_add"), {"party": str(asa.id), "level": 1, "reason": "passport"}
        )
        assert answer.status_code == 403
