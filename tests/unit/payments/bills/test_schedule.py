"""Days and moments of bills: anchors, shifts, zones, clock changes."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from payments.bills.schedule import Every, Plan, Shift, Slot, countries, is_closed, working_day


def plan(**more: object) -> Plan:
    values = {
        "every": Every.MONTH,
        "interval": 1,
        "first_on": date(2026, 1, 31),
        "anchor": 31,
        "shift": Shift.NONE,
        "at": time(8),
        "zone": "Europe/Stockholm",
    }
    return Plan(**{**values, **more})  # type: ignore[arg-type]


def days(found: Plan, count: int) -> list[str]:
    return [slot.on_date.isoformat() for slot in islice(found.slots(), count)]


class TestAnchors:
    def test_the_31st_comes_back_after_short_months(self) -> None:
        assert days(plan(), 5) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]

    def test_the_30th_is_februarys_last_day(self) -> None:
        assert days(plan(anchor=30, first_on=date(2028, 1, 30)), 3) == ["2028-01-30", "2028-02-29", "2028-03-30"]

    def test_the_29th_of_february_every_year(self) -> None:
        found = plan(interval=12, anchor=29, first_on=date(2028, 2, 29))
        assert days(found, 5) == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]

    def test_a_start_in_a_short_month_keeps_the_anchor(self) -> None:
        assert days(plan(first_on=date(2026, 2, 28)), 2) == ["2026-02-28", "2026-03-31"]

    def test_the_first_is_the_first_such_day_from_the_start(self) -> None:
        assert days(plan(anchor=5, first_on=date(2026, 1, 6)), 2) == ["2026-02-05", "2026-03-05"]
        assert days(plan(anchor=6, first_on=date(2026, 1, 6), interval=3), 3) == ["2026-01-06", "2026-04-06", "2026-07-06"]

    def test_weeks(self) -> None:
        assert days(plan(every=Every.WEEK, interval=2), 3) == ["2026-01-31", "2026-02-14", "2026-02-28"]

    def test_ends(self) -> None:
        assert days(plan(last_on=date(2026, 3, 30)), 9) == ["2026-01-31", "2026-02-28"]
        assert days(plan(first_on=date(2999, 11, 30), anchor=30), 9) == ["2999-11-30", "2999-12-30"]


class TestShift:
    def test_off_weekends_both_ways(self) -> None:
        assert working_day(date(2026, 1, 31), Shift.BEFORE, "") == date(2026, 1, 30)
        assert working_day(date(2026, 1, 31), Shift.AFTER, "") == date(2026, 2, 2)
        assert working_day(date(2026, 1, 31), Shift.NONE, "SE") == date(2026, 1, 31)

    def test_off_bank_holidays(self) -> None:
        assert working_day(date(2026, 12, 25), Shift.AFTER, "SE") == date(2026, 12, 28)
        assert working_day(date(2026, 12, 25), Shift.BEFORE, "SE") == date(2026, 12, 23)  # Christmas Eve too; the half day before is a day
        assert working_day(date(2026, 5, 25), Shift.AFTER, "GB") == date(2026, 5, 26)

    def test_knows_other_weekends(self) -> None:
        assert is_closed(date(2026, 6, 5), "EG")  # a Friday
        assert not is_closed(date(2026, 6, 7), "EG")  # a Sunday

    def test_the_period_stays_that_of_the_nominal_date(self) -> None:
        slot = next(plan(shift=Shift.AFTER).slots())
        assert (slot.period, slot.pay_on) == ("2026-01", date(2026, 2, 2))

    def test_every_country_can_be_asked(self) -> None:
        assert len(countries()) > 100
        for country in ("SE", "DE", "GB", "US", "CN", "IR", "JP", "BR"):
            assert country in countries()
            assert country not in ("SE", "DE", "GB", "US") or is_closed(date(2026, 1, 1), country)


class TestMoments:
    def test_follow_the_clock_change(self) -> None:
        found = [slot.due_at for slot in islice(plan(anchor=28, first_on=date(2026, 3, 28)).slots(), 2)]
        assert found == [datetime(2026, 3, 28, 7, tzinfo=UTC), datetime(2026, 4, 28, 6, tzinfo=UTC)]

    def test_a_time_that_is_left_out_and_one_that_comes_twice(self) -> None:
        night = plan(at=time(2, 30))
        assert night.moment(date(2026, 3, 29)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 summer time
        assert night.moment(date(2026, 10, 25)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first 02:30


plans = st.builds(
    plan,
    every=st.sampled_from(Every),
    interval=st.integers(1, 12),
    first_on=st.dates(date(1990, 1, 1), date(2200, 12, 31)),
    anchor=st.integers(1, 31),
    shift=st.sampled_from(Shift),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0)),
    zone=st.sampled_from(sorted(zone for zone in available_timezones() if "/" in zone)),
    country=st.sampled_from(["", "SE", "DE", "GB", "IR", "JP"]),
)


class TestProperties:
    @settings(max_examples=150, deadline=None)
    @given(plans)
    def test_every_slot_is_one_period_on_its_day_at_its_time(self, found: Plan) -> None:
        slots: list[Slot] = list(islice(found.slots(), 30))
        assert len({slot.period for slot in slots}) == 30
        assert [slot.on_date for slot in slots] == sorted({slot.on_date for slot in slots})
        assert slots[0].on_date >= found.first_on
        for slot in slots:
            local = slot.due_at.astimezone(ZoneInfo(found.zone))
            # A clock change may leave the time out (then it is later, Samoa once left out a whole day), never move it back.
            assert timedelta() <= local.replace(tzinfo=None) - datetime.combine(slot.pay_on, found.at) <= timedelta(days=1)
            if found.every is Every.MONTH:
                assert slot.on_date.day == min(found.anchor, calendar.monthrange(slot.on_date.year, slot.on_date.month)[1])
            else:
                assert slot.on_date.weekday() == found.first_on.weekday()
            assert found.shift is Shift.NONE or not is_closed(slot.pay_on, found.country)
            assert abs((slot.pay_on - slot.on_date).days) <= 15
            assert found.shift is not Shift.BEFORE or slot.pay_on <= slot.on_date
            assert found.shift is not Shift.AFTER or slot.pay_on >= slot.on_date

    @settings(max_examples=100, deadline=None)
    @given(plans, st.integers(0, 25), st.integers(0, 40))
    def test_going_on_from_any_day_is_the_same_row_of_dates(self, found: Plan, number: int, extra: int) -> None:
        after = found.nominal(number)
        assert after is not None
        after += timedelta(days=extra)
        all_of_them = [slot for slot in islice(found.slots(), number + 60) if slot.on_date > after]
        assert list(islice(found.slots(after=after), 5)) == all_of_them[:5]
        assert next(found.slots(after=found.first_on - timedelta(days=1))) == next(found.slots())
