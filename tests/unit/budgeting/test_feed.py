"""The feed says of every payment exactly once what it did to each side's money."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from accounts.models import Person
from accounts.services import business_open, person_update
from budgeting import handlers, services
from budgeting.categorise import Why
from budgeting.models import FeedItem, Kind
from core import due
from core.errors import NotFound
from core.models import Event
from core.money import Money
from payments.models import Payment, State
from payments.services import transfer_reverse
from tests.unit.budgeting.conftest import Customer, Pay, eur, items_of, told
from tests.unit.payments.conftest import fund
from wallets.services import wallet_open

pytestmark = pytest.mark.django_db


def top_up_made(customer: Customer, minor: int, now: datetime, *, state: State = State.POSTED) -> Payment:
    payment = Payment.objects.create(
        kind="top_up",
        state=state,
        party_id=customer.party_id,
        payee_party_id=customer.party_id,
        wallet_to=customer.wallet,
        amount_minor=minor,
        currency="EUR",
        idempotency_key=str(uuid4()),
        request_hash=b"x",
        created_at=now,
        settled_at=now,
    )
    payment.steps.create(at=now, state=State.POSTED)
    return payment


class TestATransfer:
    def test_is_one_item_on_each_side(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        payment = pay(ada, bo, 20_00)
        (out,), (into,) = items_of(ada), items_of(bo)
        assert (out.kind, out.amount, out.category, out.why) == (Kind.TRANSFER_OUT, eur(-20_00), "people", Why.TRANSFER)
        assert (into.kind, into.amount, into.category) == (Kind.TRANSFER_IN, eur(20_00), "income")
        assert {out.payment_id, into.payment_id} == {payment.id}
        assert (out.at, out.on_date, out.other_party_id) == (now, now.date(), bo.party_id)

    def test_is_filed_by_its_note_for_whoever_pays(self, ada: Customer, bo: Customer, pay: Pay) -> None:
        pay(ada, bo, 12_00, "Lunch on Tuesday")
        assert (items_of(ada)[0].category, items_of(ada)[0].why) == ("eating_out", Why.NOTE)
        assert items_of(bo)[0].category == "income"

    def test_to_a_business_is_filed_by_its_name(self, ada: Customer, bo: Customer, now: datetime) -> None:
        bakery = business_open(by=bo.person, name="Hedgehog Bakery", now=now)
        wallet_open(party_id=bakery.id, currency="EUR", now=now)
        from accounts.services import handle_set

        handle_set(by=bo.person, party_id=bakery.id, handle="hedgehog", now=now)
        ada.send("@hedgehog", eur(5_00), now=now)
        told()
        assert (items_of(ada)[0].category, items_of(ada)[0].why) == ("eating_out", Why.WORD)

    def test_is_there_once_however_often_the_news_comes(self, ada: Customer, bo: Customer, pay: Pay) -> None:
        payment = pay(ada, bo, 20_00)
        before = [(item.id, item.category) for item in items_of(ada)]
        for _time in range(3):
            handlers.feed_payment(Event.objects.get(name="payments.transfer.posted"))
        assert [(item.id, item.category) for item in items_of(ada)] == before
        assert FeedItem.objects.filter(payment=payment).count() == 2

    def test_that_has_not_moved_is_not_there(self, ada: Customer, bo: Customer, now: datetime) -> None:
        waiting = ada.send("@bosse", eur(400_00), now=now).payment
        assert waiting.state == State.REQUIRES_APPROVAL
        told()
        services.feed_follow(payment_id=waiting.id)
        assert items_of(ada) == items_of(bo) == []

    def test_names_nobody_of_the_hub_in_the_row(self, ada: Customer, bo: Customer, pay: Pay) -> None:
        pay(ada, bo, 20_00)
        item = items_of(ada)[0]
        assert (item.counterparty, item.merchant) == ("", "")


class TestAReversal:
    def test_gives_back_in_the_category_it_came_from(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        payment = pay(ada, bo, 20_00, "Lunch")
        officer = Person.objects.create_user("officer@example.com", "x", is_staff=True)
        transfer_reverse(by=officer, payment_id=payment.id, reason="mistake", idempotency_key="r", now=now)
        told()
        assert [(item.kind, item.category, item.amount_minor) for item in items_of(ada)] == [
            (Kind.TRANSFER_OUT, "eating_out", -20_00),
            (Kind.RETURNED, "eating_out", 20_00),
        ]
        services.item_file(party_id=ada.party_id, item_id=items_of(ada)[0].id, category="leisure", now=now)
        assert {item.category for item in items_of(ada)} == {"leisure"}

    def test_whose_news_comes_first_still_finds_its_category(self, ada: Customer, bo: Customer, now: datetime) -> None:
        payment = ada.send("@bosse", eur(20_00), note="Lunch", now=now).payment
        officer = Person.objects.create_user("officer@example.com", "x", is_staff=True)
        reversal = transfer_reverse(by=officer, payment_id=payment.id, reason="mistake", idempotency_key="r", now=now).payment
        services.feed_follow(payment_id=reversal.id)
        services.feed_follow(payment_id=payment.id)
        assert {item.category for item in items_of(ada)} == {"eating_out"}


class TestTopUpsAndRefunds:
    def test_a_top_up_is_between_ones_own_accounts(self, ada: Customer, now: datetime) -> None:
        services.feed_follow(payment_id=top_up_made(ada, 50_00, now).id)
        (item,) = items_of(ada)
        assert (item.kind, item.category, item.amount_minor, item.key) == (Kind.TOP_UP, "own", 50_00, "")

    def test_money_that_never_left_suspense_is_not_there(self, ada: Customer, now: datetime) -> None:
        payment = top_up_made(ada, 50_00, now, state=State.REFUNDED)
        services.feed_follow(payment_id=payment.id)
        assert len(items_of(ada)) == 1
        other = Payment.objects.create(
            kind="top_up", state=State.REFUNDED, party_id=ada.party_id, payee_party_id=ada.party_id, amount_minor=5, currency="EUR",
            idempotency_key="never", request_hash=b"x", created_at=now, settled_at=now,
        )  # fmt: skip
        services.feed_follow(payment_id=other.id)
        assert len(items_of(ada)) == 1

    def test_a_refund_that_came_back_is_taken_out_again(self, ada: Customer, now: datetime) -> None:
        refund = Payment.objects.create(
            kind="refund", state=State.POSTED, party_id=ada.party_id, payer_party_id=ada.party_id, amount_minor=5_00, currency="EUR",
            original=top_up_made(ada, 50_00, now), idempotency_key="refund", request_hash=b"x", created_at=now, settled_at=now,
        )  # fmt: skip
        services.feed_follow(payment_id=refund.id)
        assert [item.amount_minor for item in items_of(ada)] == [-5_00]
        Payment.objects.filter(id=refund.id).update(state=State.FAILED)
        services.feed_follow(payment_id=refund.id)
        assert items_of(ada) == []


class TestTheDay:
    @pytest.mark.parametrize(
        ("zone", "day"),
        [
            ("Europe/Stockholm", date(2026, 4, 1)),
            ("UTC", date(2026, 3, 31)),
            ("Pacific/Auckland", date(2026, 4, 1)),
            ("America/New_York", date(2026, 3, 31)),
        ],
    )
    def test_is_that_of_the_persons_zone(self, ada: Customer, bo: Customer, pay: Pay, zone: str, day: date) -> None:
        Person.objects.filter(id=ada.person.id).update(time_zone=zone)
        pay(ada, bo, 1_00, at=datetime(2026, 3, 31, 22, 30, tzinfo=UTC))
        assert items_of(ada)[0].on_date == day

    def test_follows_when_the_person_moves(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        for index in range(3):
            pay(ada, bo, 1_00 + index, at=datetime(2026, 3, 31, 23, index, tzinfo=UTC))
        person_update(person=ada.person, time_zone="Asia/Tokyo", now=now)
        told()
        due.sweep()
        assert {item.on_date for item in items_of(ada)} == {date(2026, 4, 1)}
        assert {item.on_date for item in items_of(bo)} == {date(2026, 3, 31)}


class TestOtherCurrencies:
    def test_are_worth_what_the_rate_of_their_day_says(self, ada: Customer, bo: Customer, now: datetime) -> None:
        krona = wallet_open(party_id=ada.party_id, currency="SEK", now=now)
        fund(krona, 1000_00, now)
        ada.send("@bosse", Money(100_00, "SEK"), source_wallet_id=krona.id, now=datetime(2024, 3, 13, 12, tzinfo=UTC))
        told()
        item = items_of(ada)[0]
        assert item.is_foreign
        assert item.rate_date == date(2024, 3, 13)
        assert item.home is not None
        assert -10_00 < item.home.amount < -8_00

    def test_without_a_rate_have_no_worth(self, ada: Customer, bo: Customer, now: datetime) -> None:
        dinar = wallet_open(party_id=ada.party_id, currency="KWD", now=now)
        fund(dinar, 1000_000, now)
        payment = Payment.objects.create(
            kind="transfer", state=State.POSTED, party_id=ada.party_id, payer_party_id=ada.party_id, payee_party_id=bo.party_id,
            amount_minor=5_000, currency="KWD", idempotency_key="k", request_hash=b"x", created_at=now, settled_at=now,
        )  # fmt: skip
        services.feed_follow(payment_id=payment.id)
        assert (items_of(ada)[0].home, items_of(ada)[0].rate_date) == (None, None)

    def test_are_counted_anew_in_another_home_currency(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        pay(ada, bo, 10_00, at=now)
        person_update(person=ada.person, home_currency="SEK", now=now)
        told()
        due.sweep()
        item = items_of(ada)[0]
        assert item.home is not None
        assert item.home.currency == "SEK"
        assert item.home.amount < -90_00


class TestFilingByHand:
    def test_changes_one_item_and_survives_the_news(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        first, second = pay(ada, bo, 1_00), pay(ada, bo, 2_00)
        item = FeedItem.objects.get(party_id=ada.party_id, payment=first)
        services.item_file(party_id=ada.party_id, item_id=item.id, category="gifts", now=now)
        for payment in (first, second):
            services.feed_follow(payment_id=payment.id)
        assert [(item.category, item.why) for item in items_of(ada)] == [("gifts", Why.CHOSEN), ("people", Why.TRANSFER)]

    def test_always_files_what_was_and_what_comes(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        pay(ada, bo, 1_00, "Lunch")
        pay(ada, bo, 2_00)
        pay(bo, ada, 3_00)
        services.item_file(party_id=ada.party_id, item_id=items_of(ada)[0].id, category="housing", always=True, now=now)
        pay(ada, bo, 4_00, "Dinner")
        assert [(item.category, item.why) for item in items_of(ada) if item.amount_minor < 0] == [("housing", Why.RULE)] * 3
        # What comes in from the same person is another matter, and so is Bo's own feed.
        assert [item.category for item in items_of(ada) if item.amount_minor > 0] == ["income"]
        assert {item.category for item in items_of(bo)} <= {"income", "people"}

    def test_a_rule_that_is_forgotten_leaves_what_the_hub_thinks(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        pay(ada, bo, 1_00, "Lunch")
        services.item_file(party_id=ada.party_id, item_id=items_of(ada)[0].id, category="housing", always=True, now=now)
        from budgeting.models import Rule

        rule = Rule.objects.get()
        with pytest.raises(NotFound):
            services.rule_forget(party_id=bo.party_id, rule_id=rule.id)
        assert services.rule_forget(party_id=ada.party_id, rule_id=rule.id) == 1
        assert (items_of(ada)[0].category, items_of(ada)[0].why) == ("eating_out", Why.NOTE)

    def test_refuses_what_is_not_there(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        from budgeting.errors import CategoryUnknown, RuleImpossible

        pay(ada, bo, 1_00)
        item = items_of(ada)[0]
        with pytest.raises(NotFound):
            services.item_file(party_id=bo.party_id, item_id=item.id, category="gifts", now=now)
        with pytest.raises(CategoryUnknown):
            services.item_file(party_id=ada.party_id, item_id=item.id, category="yachts", now=now)
        services.feed_follow(payment_id=top_up_made(ada, 50_00, now + timedelta(hours=1)).id)
        with pytest.raises(RuleImpossible):
            services.item_file(party_id=ada.party_id, item_id=items_of(ada)[-1].id, category="gifts", always=True, now=now)


class TestRebuilding:
    def test_makes_the_same_feed_and_keeps_what_was_chosen(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        for index in range(4):
            pay(ada, bo, 1_00 + index, "Lunch" if index % 2 else "")
        services.item_file(party_id=ada.party_id, item_id=items_of(ada)[0].id, category="gifts", now=now)

        def facts() -> list[tuple[object, ...]]:
            return list(
                FeedItem.objects.order_by("party_id", "payment_id").values_list(
                    "party_id", "payment_id", "category", "why", "on_date", "home_minor"
                )
            )

        before = facts()
        assert services.feed_rebuild() == 4
        assert facts() == before
        FeedItem.objects.filter(party_id=bo.party_id).delete()
        services.feed_rebuild(party_id=bo.party_id)
        assert facts() == before


def test_erasing_leaves_nothing(ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
    from budgeting import privacy

    pay(ada, bo, 1_00, "Lunch")
    services.item_file(party_id=ada.party_id, item_id=items_of(ada)[0].id, category="gifts", always=True, now=now)
    services.budgets_set(party_id=ada.party_id, amounts={"gifts": eur(10_00)}, now=now)
    exported = privacy.export(ada.party_id)
    assert (len(exported["feed"]), len(exported["rules"]), len(exported["budgets"])) == (1, 1, 1)
    privacy.erase(ada.party_id, now)
    assert privacy.export(ada.party_id) == {"feed": [], "rules": [], "budgets": []}
    assert len(items_of(bo)) == 1
