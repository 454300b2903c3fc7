from __future__ import annotations

from datetime import datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from payments import states
from payments.errors import MoveForbidden
from payments.models import SETTLED, Kind, Payment, PaymentStep, State
from payments.states import MOVES
from tests.unit.payments.conftest import Customer, eur


class TestTable:
    @pytest.mark.parametrize("kind", list(Kind))
    def test_no_walk_comes_back(self, kind: Kind) -> None:
        """Forward only: the moves of every kind have no circle."""

        def beyond(state: State, path: tuple[State, ...]) -> None:
            assert state not in path
            for following in MOVES[kind].get(state, frozenset()):
                beyond(following, (*path, state))

        for first in MOVES[kind].get(None, frozenset()):
            beyond(first, ())

    @given(kind=st.sampled_from(Kind), end=st.sampled_from(State))
    def test_what_is_undone_stays_undone(self, kind: Kind, end: State) -> None:
        for start in (State.REVERSED, State.REFUNDED, State.CANCELLED):
            assert not states.may_move(kind, start, end)

    def test_money_that_arrived_never_becomes_money_that_did_not(self) -> None:
        for end in (State.FAILED, State.EXPIRED, State.CANCELLED, State.WAITING, State.PENDING, State.UNKNOWN):
            for kind in (Kind.TRANSFER, Kind.TOP_UP, Kind.REVERSAL):
                assert not states.may_move(kind, State.POSTED, end)


@pytest.mark.django_db
class TestMove:
    def test_writes_the_timeline_and_keeps_the_first_settling(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(1_00), now=now).payment
        states.move(payment, State.REVERSED, now=now.replace(hour=18), code="mistake")
        assert (payment.settled_at, payment.failure_code) == (now, "")
        assert list(PaymentStep.objects.order_by("id").values_list("state", "code")) == [("posted", ""), ("reversed", "mistake")]

    def test_refuses_what_the_table_does_not_have(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(1_00), now=now).payment
        with pytest.raises(MoveForbidden):
            states.move(payment, State.EXPIRED, now=now)
        with pytest.raises(MoveForbidden):
            states.begin(Payment(kind="transfer", state="reversed"), now=now)
        assert Payment.objects.get().state == "posted"


@pytest.mark.django_db
class TestDatabase:
    @pytest.mark.parametrize(
        "change",
        [
            {"amount_minor": 0},
            {"amount_minor": -1},
            {"payee_party": None},
            {"kind": "top_up"},
            {"settled_at": None},
            {"counted_minor": None},
        ],
    )
    def test_refuses_rows_that_make_no_sense(self, astrid: Customer, bo: Customer, now: datetime, change: dict[str, object]) -> None:
        payment = astrid.send("@bosse", eur(1_00), now=now).payment
        with pytest.raises(IntegrityError), transaction.atomic():
            Payment.objects.filter(id=payment.id).update(**change)

    def test_refuses_a_payment_to_oneself(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(1_00), now=now).payment
        with pytest.raises(IntegrityError), transaction.atomic():
            Payment.objects.filter(id=payment.id).update(payee_party=astrid.party_id)

    @pytest.mark.parametrize(
        "statement", ["UPDATE payments_step SET state = 'failed'", "DELETE FROM payments_step", "TRUNCATE payments_step"]
    )
    def test_the_timeline_cannot_be_rewritten(self, astrid: Customer, bo: Customer, now: datetime, statement: str) -> None:
        astrid.send("@bosse", eur(1_00), now=now)
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    def test_every_settled_state_needs_its_time(self) -> None:
        assert set(SETTLED) == {State.POSTED, State.REVERSED, State.REFUNDED}
