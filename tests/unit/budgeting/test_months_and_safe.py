"""Months across time zones, budgets, the next income, and what is safe to spend."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Person
from budgeting import selectors, services
from budgeting.errors import CategoryNotBudgeted, CategoryUnknown
from budgeting.income import Expected, Received, next_income
from budgeting.models import Budget, FeedItem
from budgeting.selectors import BillDue, BillLine, Keeper, SafeToSpend, month_after, month_before
from core.money import AmountNotPositive, CurrencyMismatch, Money
from tests.unit.budgeting.conftest import Customer, Pay, eur, items_of
from tests.unit.payments.conftest import fund
from wallets import ledger
from wallets.services import wallet_open

EUROPE = Keeper("Europe/Stockholm", "EUR")


def month(customer: Customer, on: date, keeper: Keeper = EUROPE, today: date | None = None) -> selectors.MonthView:
    return selectors.month_view(customer.party_id, keeper, month=on, today=today or on)


def spent(view: selectors.MonthView, code: str) -> int:
    return next(row.spent.amount for row in view.rows if row.category.code == code)


@pytest.mark.django_db
class TestMonths:
    def test_begin_and_end_at_the_persons_midnight(self, ada: Customer, bo: Customer, pay: Pay) -> None:
        Person.objects.filter(id=ada.person.id).update(time_zone="Europe/Stockholm")
        # Summer time began on the 29th: midnight of 1 April is 22:00 UTC, that of 1 March was 23:00.
        for minor, at in [
            (1, (2026, 2, 28, 22, 59)),
            (10, (2026, 2, 28, 23, 0)),
            (100, (2026, 3, 31, 21, 59)),
            (1000, (2026, 3, 31, 22, 0)),
        ]:
            pay(ada, bo, minor, "Lunch", at=datetime(*at, tzinfo=UTC))
        assert [spent(month(ada, date(2026, number, 1)), "eating_out") for number in (2, 3, 4)] == [1, 110, 1000]

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca"])
    def test_hold_every_payment_exactly_once(self, ada: Customer, bo: Customer, pay: Pay, zone: str) -> None:
        Person.objects.filter(id=ada.person.id).update(time_zone=zone)
        start = datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
        for hours in range(0, 72, 6):
            pay(ada, bo, 1_00, "Lunch", at=start + timedelta(hours=hours))
        keeper = Keeper(zone, "EUR")
        assert sum(spent(month(ada, date(2026, number, 1), keeper), "eating_out") for number in (2, 3, 4, 5)) == 12_00

    def test_count_what_came_back_against_what_went_out(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        pay(ada, bo, 20_00, "Lunch")
        pay(bo, ada, 8_00)
        services.item_file(party_id=ada.party_id, item_id=items_of(ada)[-1].id, category="eating_out", now=now)
        view = month(ada, date(2026, 3, 1))
        assert spent(view, "eating_out") == 12_00
        assert view.income == eur(0)

    def test_leave_out_and_count_what_has_no_rate(self, ada: Customer, bo: Customer, pay: Pay) -> None:
        pay(ada, bo, 20_00, "Lunch")
        pay(ada, bo, 5_00, "Lunch")
        FeedItem.objects.filter(id=items_of(ada)[0].id).update(home_minor=None)
        view = month(ada, date(2026, 3, 1))
        assert (spent(view, "eating_out"), view.missing) == (5_00, 1)

    @pytest.mark.parametrize(
        ("today", "days"),
        [(date(2026, 3, 1), 31), (date(2026, 3, 11), 21), (date(2026, 3, 31), 1), (date(2026, 4, 1), 0), (date(2026, 2, 1), 31)],
    )
    def test_know_how_many_days_are_left(self, ada: Customer, today: date, days: int) -> None:
        assert month(ada, date(2026, 3, 1), today=today).days_left == days

    def test_follow_each_other(self) -> None:
        assert month_after(date(2026, 12, 1)) == date(2027, 1, 1)
        assert month_before(date(2027, 1, 1)) == date(2026, 12, 1)
        assert month_after(date(2028, 2, 1)) == date(2028, 3, 1)


@pytest.mark.django_db
class TestBudgets:
    def test_hold_until_they_are_changed(self, ada: Customer, now: datetime) -> None:
        services.budgets_set(party_id=ada.party_id, amounts={"groceries": eur(100_00)}, now=datetime(2026, 1, 15, tzinfo=UTC))
        services.budgets_set(party_id=ada.party_id, amounts={"groceries": None}, now=datetime(2026, 3, 15, tzinfo=UTC))

        def held(number: int) -> Money | None:
            return next(row.budget for row in month(ada, date(2026, number, 1)).rows if row.category.code == "groceries")

        assert [held(number) for number in (1, 2, 3, 4)] == [eur(100_00), eur(100_00), None, None]

    def test_said_twice_are_one_row(self, ada: Customer, now: datetime) -> None:
        for amount in (100_00, 100_00, 120_00):
            services.budgets_set(party_id=ada.party_id, amounts={"groceries": eur(amount)}, now=now)
        assert [budget.amount for budget in Budget.objects.all()] == [eur(120_00)]

    def test_belong_to_the_month_it_is_for_the_person(self, ada: Customer) -> None:
        Person.objects.filter(id=ada.person.id).update(time_zone="Pacific/Auckland")
        services.budgets_set(party_id=ada.party_id, amounts={"groceries": eur(1)}, now=datetime(2026, 3, 31, 12, tzinfo=UTC))
        assert Budget.objects.get().from_month == date(2026, 4, 1)

    @pytest.mark.parametrize(
        ("spent_", "state", "left", "over"),
        [(0, "ok", 100, 0), (84, "ok", 16, 0), (85, "near", 15, 0), (100, "near", 0, 0), (101, "over", -1, 1)],
    )
    def test_say_how_they_stand(
        self, ada: Customer, bo: Customer, pay: Pay, now: datetime, spent_: int, state: str, left: int, over: int
    ) -> None:
        services.budgets_set(party_id=ada.party_id, amounts={"eating_out": eur(100)}, now=now)
        if spent_:
            pay(ada, bo, spent_, "Lunch")
        (row,) = month(ada, date(2026, 3, 1)).budgeted
        assert (row.state, row.left, row.over) == (state, eur(left), eur(over))

    @pytest.mark.parametrize(
        ("amounts", "error"),
        [
            ({"yachts": eur(1)}, CategoryUnknown),
            ({"income": eur(1)}, CategoryNotBudgeted),
            ({"own": None}, CategoryNotBudgeted),
            ({"groceries": eur(0)}, AmountNotPositive),
            ({"groceries": eur(-1)}, AmountNotPositive),
            ({"groceries": Money(1, "SEK")}, CurrencyMismatch),
        ],
    )
    def test_refuse_nonsense(self, ada: Customer, now: datetime, amounts: Any, error: type[Exception]) -> None:
        with pytest.raises(error):
            services.budgets_set(party_id=ada.party_id, amounts=amounts, now=now)
        assert not Budget.objects.exists()

    def test_are_converted_after_another_home_currency(self, ada: Customer, now: datetime) -> None:
        services.budgets_set(party_id=ada.party_id, amounts={"groceries": eur(100_00)}, now=now)
        (row,) = month(ada, date(2026, 3, 1), Keeper("UTC", "SEK")).budgeted
        assert row.budget is not None
        assert 900_00 < row.budget.amount < 1300_00


TODAY = date(2026, 3, 11)


def monthly(day: int, *, amount: int = 2500_00, source: str = "job", months: int = 4) -> list[Received]:
    found: list[Received] = []
    at = TODAY.replace(day=1)
    while len(found) < months:
        if at.replace(day=day) <= TODAY:
            found.append(Received(source, at.replace(day=day), amount))
        at = month_before(at)
    return found


class TestNextIncome:
    def test_of_a_salary_is_a_month_after_the_last(self) -> None:
        assert next_income(monthly(25), TODAY) == Expected("job", date(2026, 3, 25), 2500_00, 30)

    def test_is_that_which_is_worth_most(self) -> None:
        pocket = [Received("pocket", TODAY - timedelta(days=back), 5_00) for back in (1, 8, 15, 22, 29)]
        found = next_income([*monthly(25), *pocket], TODAY)
        assert found is not None
        assert found.source == "job"
        assert next_income(pocket, TODAY) == Expected("pocket", date(2026, 3, 17), 5_00, 7)

    def test_that_is_late_comes_tomorrow_until_it_is_given_up(self) -> None:
        rows = monthly(9)[1:]  # the last one came on 9 February
        assert next_income(rows, TODAY) == Expected("job", date(2026, 3, 12), 2500_00, 30)
        assert next_income(rows, TODAY + timedelta(days=9)) is None

    def test_moved_by_weekends_is_expected_on_the_later_day(self) -> None:
        days = [date(2025, 11, 25), date(2025, 12, 23), date(2026, 1, 23), date(2026, 2, 25)]
        found = next_income([Received("job", day, 2500_00) for day in days], TODAY)
        assert found is not None
        assert found.on == date(2026, 3, 25)

    @pytest.mark.parametrize(
        "rows",
        [
            [],
            monthly(25, months=2),
            [Received("friend", TODAY - timedelta(days=back), 10_00) for back in (1, 4, 30, 31, 70)],
            [Received("job", row.on, row.amount * (index + 1)) for index, row in enumerate(monthly(25))],
            [Received("old", TODAY - timedelta(days=back), 10_00) for back in (60, 90, 120)],
        ],
    )
    def test_is_not_made_up(self, rows: list[Received]) -> None:
        assert next_income(rows, TODAY) is None

    @given(
        st.lists(
            st.builds(Received, st.sampled_from("ab"), st.dates(date(2025, 10, 1), date(2026, 4, 1)), st.integers(-5, 10**12)), max_size=40
        )
    )
    def test_lies_always_ahead(self, rows: list[Received]) -> None:
        found = next_income(rows, TODAY)
        assert found is None or TODAY < found.on <= TODAY + timedelta(days=40)


@given(
    balance=st.integers(0, 10**12),
    held=st.integers(0, 10**12),
    pots=st.integers(0, 10**12),
    bills=st.lists(st.one_of(st.none(), st.integers(0, 10**11)), max_size=8),
    days=st.integers(0, 40),
)
def test_safe_to_spend_is_what_its_lines_say(balance: int, held: int, pots: int, bills: list[int | None], days: int) -> None:
    lines = tuple(BillLine(BillDue("x", TODAY, eur(bill or 1)), eur(bill) if bill is not None else None) for bill in bills)
    safe = SafeToSpend(eur(balance), eur(held), eur(pots), lines, TODAY, TODAY + timedelta(days=days), None, None, ())
    assert safe.amount.amount == balance - held - pots - sum(bill or 0 for bill in bills)
    assert safe.amount + safe.bills + safe.held + safe.pots == safe.balance
    assert safe.days == days + 1
    assert safe.per_day is not None
    assert 0 <= safe.per_day.amount * safe.days <= max(safe.amount.amount, 0)
    assert max(safe.amount.amount, 0) - safe.per_day.amount * safe.days < safe.days
    assert safe.is_short == (safe.amount.amount < 0)


@pytest.mark.django_db
class TestSafeToSpend:
    def safe(self, customer: Customer, now: datetime) -> SafeToSpend:
        return selectors.safe_to_spend(customer.party_id, selectors.keeper_of(customer.party_id), now=now)

    def test_goes_to_the_end_of_the_month_without_an_income(self, ada: Customer, now: datetime) -> None:
        safe = self.safe(ada, now)
        assert (safe.amount, safe.until, safe.income_on, safe.days) == (eur(1000_00), date(2026, 3, 31), None, 21)

    def test_goes_to_the_day_before_the_next_income(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        for back in (16, 44, 75):
            pay(bo, ada, 20_00, at=now - timedelta(days=back))
        safe = self.safe(ada, now)
        assert safe.income_on is not None
        assert safe.until == safe.income_on - timedelta(days=1)
        assert safe.income_on.month == 3

    def test_takes_off_what_is_set_aside(self, ada: Customer, bo: Customer, now: datetime) -> None:
        ledger.hold(debit=ada.wallet.account, credit=bo.wallet.account, amount=eur(30_00), key="h", now=now)
        safe = self.safe(ada, now)
        assert (safe.balance, safe.held, safe.amount) == (eur(1000_00), eur(30_00), eur(970_00))

    def test_takes_off_bills_and_names_them(self, ada: Customer, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[date, date]] = []

        def bills_due(party_id: object, *, since: date, until: date) -> list[BillDue]:
            asked.append((since, until))
            return [BillDue("Rent", date(2026, 3, 25), eur(700_00)), BillDue("Net", date(2026, 3, 28), Money(100_00, "SEK"))]

        monkeypatch.setattr("budgeting.selectors.safe.bills_due", bills_due)
        safe = self.safe(ada, now)
        assert asked == [(date(2026, 3, 11), date(2026, 3, 31))]
        assert 285_00 < safe.amount.amount < 295_00
        assert safe.rate_date is not None
        assert [line.bill.name for line in safe.lines] == ["Rent", "Net"]

    def test_says_which_currencies_it_could_not_count(self, ada: Customer, now: datetime) -> None:
        fund(wallet_open(party_id=ada.party_id, currency="KWD", now=now), 5_000, now)
        safe = self.safe(ada, now)
        assert (safe.amount, safe.missing) == (eur(1000_00), ("KWD",))

    def test_of_a_shared_party_goes_by_its_owner(self, ada: Customer, now: datetime) -> None:
        from accounts.services import household_open

        Person.objects.filter(id=ada.person.id).update(time_zone="Asia/Tokyo", home_currency="SEK")
        home = household_open(by=ada.person, name="Home", now=now - timedelta(days=1))
        assert selectors.keeper_of(home.id) == Keeper("Asia/Tokyo", "SEK")
