from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from hub.demo import plan
from payments.bills.schedule import Every, Plan, Shift


def bill_moves(begin: datetime) -> list[plan.Move]:
    found = []
    for wish in plan.BILLS:
        days = Plan(
            every=Every.MONTH, interval=1, first_on=plan.first_on(wish, begin), anchor=wish.day, shift=wish.shift,
            at=datetime.min.time().replace(hour=8), zone="Europe/Stockholm", country="SE" if wish.shift is not Shift.NONE else "",
        )  # fmt: skip
        for slot in days.slots():
            if slot.due_at >= begin + plan.YEAR:
                break
            found.append(plan.Move(slot.due_at, wish.payer, wish.payee, wish.amount, wish.name))
    return found


class TestYear:
    def test_is_the_same_for_the_same_day(self) -> None:
        begin = plan.begins_at(datetime(2026, 11, 21, 22, tzinfo=UTC))
        assert plan.year(begin) == plan.year(plan.begins_at(datetime(2026, 11, 21, 3, tzinfo=UTC)))

    @pytest.mark.parametrize("day", range(0, 366, 5))
    def test_whenever_it_is_loaded_nobody_but_chen_runs_out_of_money(self, day: int) -> None:
        begin = plan.begins_at(datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=day))
        moves = plan.year(begin)
        assert begin < moves[0].at
        assert moves[-1].at < begin + plan.YEAR
        assert len({move.key for move in moves}) == len(moves)
        held: Counter[str] = Counter()
        for move in sorted(moves + bill_moves(begin), key=lambda move: move.at):
            held[move.payee] += move.amount
            if move.payer:
                held[move.payer] -= move.amount
                assert move.payer == "chen" or held[move.payer] >= 0, (move, held[move.payer])
        # Chen cannot pay one lesson at all, which the sum above still counts.
        assert held["chen"] + plan.LESSON >= 0
        assert held["bosse"] < 1_500_000
