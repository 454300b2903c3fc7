from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from accounts.services import business_open, membership_add
from core.money import Money
from payments.exemptions import transfer_exempt
from tests.unit.payments.conftest import Customer, eur


@pytest.mark.django_db
class TestTransferExempt:
    def exempt(self, by: Customer, to: object, amount: Money, *, present: bool = True) -> bool:
        return transfer_exempt(by=by.person, present=present, amount=amount, payee_party=getattr(to, "party_id", None) or to.id)  # type: ignore[attr-defined]

    @pytest.mark.parametrize(("minor", "expected"), [(1, True), (30_00, True), (30_01, False)])
    def test_small_amounts_up_to_30_eur(self, astrid: Customer, bo: Customer, minor: int, expected: bool) -> None:
        assert self.exempt(astrid, bo, eur(minor)) is expected

    def test_small_is_measured_in_euro(self, astrid: Customer, bo: Customer) -> None:
        assert self.exempt(astrid, bo, Money(200_00, "SEK"))
        assert not self.exempt(astrid, bo, Money(900_00, "SEK"))
        assert not self.exempt(astrid, bo, Money(31_00, "GBP"))

    def test_an_amount_that_cannot_be_measured_is_not_small(self, astrid: Customer, bo: Customer) -> None:
        assert not self.exempt(astrid, bo, Money(1, "KWD"))

    def test_nothing_without_the_person(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        shop = business_open(by=astrid.person, name="Shop", now=now)
        assert not self.exempt(astrid, bo, eur(1), present=False)
        assert not self.exempt(astrid, shop, eur(1), present=False)

    @pytest.mark.parametrize(("role", "expected"), [("viewer", False), ("member", False), ("admin", True), ("owner", True)])
    def test_a_party_one_disposes_of(
        self, customer: Callable[..., Customer], bo: Customer, now: datetime, role: str, expected: bool
    ) -> None:
        shop = business_open(by=bo.person, name="Shop", now=now)
        helper = customer("helper")
        membership_add(by=bo.person, party_id=shop.id, person=helper.person, role=role, now=now)
        assert self.exempt(helper, shop, eur(500_00)) is expected
