from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Party
from accounts.services import membership_add, membership_end, person_deactivate, person_update, sessions_end_all
from compliance.services import level_set
from core import clock, crypto, events, privacy
from core.errors import NotFound
from core.models import Delivery, DueWork
from core.money import Money
from engagement.models import Notice, Preference
from engagement.notifications import selectors, services, words
from engagement.notifications.topics import ABOUT, Channel, Topic
from payments import states
from payments.models import Payment, State
from payments.services import transfer_reverse
from tests.unit.engagement.conftest import EUR_20, client_of, deliver, mails, work_off
from tests.unit.payments.conftest import Customer, customer_make

# Fixed, so that parallel processes collect the same tests.
NOBODYS = "0199a1b2-0000-7000-8000-000000000000"

pytestmark = pytest.mark.django_db
OFF = {(topic, channel): False for topic in Topic for channel in Channel}


def kinds(customer: Customer) -> list[str]:
    return list(Notice.objects.filter(person=customer.person).order_by("created_at", "id").values_list("kind", flat=True))


def says(customer: Customer) -> list[str]:
    return [view.words.sentence.text for view in selectors.notices_for(customer.person).rows]


def held(customer: Customer) -> Payment:
    """A payment as screening leaves it: held, and told of."""
    payment = customer.send("@bosse", Money(35_00, "EUR"), now=clock.now()).payment
    states.move(payment, State.HELD, now=clock.now(), code="screening")
    events.emit("payments.transfer.held", party_id=payment.party_id, payment_id=payment.id)
    return payment


class TestMoney:
    def test_who_is_paid_reads_it_and_gets_one_mail(self, asa: Customer, bo: Customer) -> None:
        asa.send("@bosse", EUR_20, note="Lunch", now=clock.now())
        deliver()
        [view] = selectors.notices_for(bo.person).rows
        assert (view.words.sentence.text, view.words.sub) == ("Asa E. sent you €20.00", "Lunch")
        assert view.words.href == f"/activity/{view.notice.subject_id}/"
        assert kinds(asa) == []
        [mail] = mails("bosse@example.com")
        assert mail["subject"] == "Asa E. sent you €20.00"
        assert view.words.href in mail["text"]
        assert "<p" in mail["html"]

    def test_an_event_delivered_again_tells_nobody_twice(self, asa: Customer, bo: Customer) -> None:
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        Delivery.objects.filter(handler__contains="engagement").update(state="waiting")
        deliver()
        assert kinds(bo) == ["received"]
        assert len(mails("bosse@example.com")) == 1

    def test_a_reversal_tells_both_sides(self, asa: Customer, bo: Customer) -> None:
        officer = customer_make("officer").person
        officer.is_staff = True
        officer.save()
        payment = asa.send("@bosse", EUR_20, now=clock.now()).payment
        transfer_reverse(payment_id=payment.id, by=officer, reason="error", idempotency_key="r", now=clock.now())
        deliver()
        assert kinds(asa) == ["returned"]
        assert kinds(bo) == ["received", "taken_back"]

    def test_a_held_payment_tells_the_payer_and_never_why(self, asa: Customer, bo: Customer) -> None:
        held(asa)
        deliver()
        assert kinds(asa) == ["held"]
        assert kinds(bo) == []
        [mail] = mails("asa@example.com")
        for word in ("screening", "sanction", "list", "match", "case"):
            assert word not in mail["text"].casefold()

    def test_a_held_payment_that_goes_on_tells_both(self, asa: Customer, bo: Customer) -> None:
        payment = held(asa)
        payment.wallet_to = bo.wallet
        states.move(payment, State.POSTED, now=clock.now())
        events.emit("payments.transfer.posted", party_id=asa.party_id, payment_id=payment.id)
        deliver()
        assert (kinds(asa), kinds(bo)) == (["held", "released"], ["received"])

    def test_a_held_payment_that_is_stopped_tells_the_payer(self, asa: Customer, bo: Customer) -> None:
        payment = held(asa)
        states.move(payment, State.CANCELLED, now=clock.now(), code="cancelled")
        events.emit("payments.transfer.cancelled", party_id=asa.party_id, payment_id=payment.id)
        deliver()
        assert (kinds(asa), kinds(bo)) == (["held", "stopped"], [])

    @pytest.mark.parametrize("what", ["failed", "held"])
    def test_a_top_up_that_does_not_arrive(self, asa: Customer, what: str) -> None:
        now = clock.now()
        payment = Payment.objects.create(
            kind="top_up", state=what, party_id=asa.party_id, payee_party_id=asa.party_id, wallet_to=asa.wallet, amount_minor=10_00,
            currency="EUR", by_person=asa.person, idempotency_key="t", request_hash=b"", created_at=now, failure_code="card_declined",
        )  # fmt: skip
        events.emit(f"payments.top_up.{what}", party_id=asa.party_id, payment_id=payment.id)
        deliver()
        assert kinds(asa) == ["top_up_failed" if what == "failed" else "top_up_held"]
        assert selectors.notices_for(asa.person).rows[0].words.sub == "The card was declined."

    @pytest.mark.parametrize("event", ["paid", "failed", "retrying", "paused", "amount_refused"])
    def test_a_bill_whatever_became_of_it(self, asa: Customer, event: str) -> None:
        events.emit(f"payments.bill.{event}", party_id=asa.party_id, bill_id=uuid4(), payment_id=None, code="insufficient_funds")
        deliver()
        assert kinds(asa) == [f"bill_{event}"]
        assert says(asa)[0].startswith("A bill ")
        assert len(mails("asa@example.com")) == 1

    def test_a_bill_that_the_person_paused_is_no_news(self, asa: Customer) -> None:
        events.emit("payments.bill.paused", party_id=asa.party_id, bill_id=uuid4(), code="")
        deliver()
        assert kinds(asa) == []

    def test_a_payout_that_comes_back(self, asa: Customer) -> None:
        events.emit("payments.payout.failed", party_id=asa.party_id, payment_id=uuid4())
        deliver()
        assert says(asa) == ["A payment to a bank account did not arrive."]


class TestApproval:
    def test_is_reminded_of_when_it_still_waits_after_two_minutes(self, asa: Customer, bo: Customer) -> None:
        asa.send("@bosse", Money(35_00, "EUR"), now=clock.now())
        deliver()
        assert kinds(asa) == []
        work = DueWork.objects.get(kind="engagement.approval_reminder")
        assert work.due_at > clock.now()
        DueWork.objects.update(due_at=clock.now())
        assert work_off("engagement.approval_reminder") == 1
        assert says(asa) == ["Your payment of €35.00 to Bosse E. waits for your approval"]

    def test_is_not_when_it_was_given_up(self, asa: Customer, bo: Customer) -> None:
        payment = asa.send("@bosse", Money(35_00, "EUR"), now=clock.now()).payment
        deliver()
        states.move(payment, State.CANCELLED, now=clock.now())
        DueWork.objects.update(due_at=clock.now())
        work_off("engagement.approval_reminder")
        assert kinds(asa) == []


class TestAccount:
    def test_a_new_device_is_named(self, asa: Customer) -> None:
        from accounts.services import device_seen

        device_seen(person=asa.person, token="one", agent="", now=clock.now())
        device_seen(person=asa.person, token="two", agent="Mozilla/5.0 (X11; Linux) Firefox/140.0", now=clock.now())
        deliver()
        assert says(asa) == ["New sign-in: Firefox on Linux"]
        assert "change your password" in mails("asa@example.com")[0]["text"]

    def test_a_changed_password_stands_in_the_list_and_is_mailed_by_allauth_alone(self, asa: Customer) -> None:
        cache.clear()
        client = client_of(asa.person)
        client.post(reverse("account_reauthenticate"), {"password": "a long pass phrase"})
        client.post(reverse("account_change_password"), {"oldpassword": "a long pass phrase", "password1": "copper lantern drifting"})
        deliver()
        assert kinds(asa) == ["password_changed"]
        assert [mail["subject"] for mail in mails("asa@example.com")] == ["Your password was changed"]

    def test_a_level_is_news_but_for_the_first(self, asa: Customer) -> None:
        level_set(party_id=asa.party_id, level=3, by=None, reason="signed_up", now=clock.now())
        deliver()
        assert kinds(asa) == []
        level_set(party_id=asa.party_id, level=2, by=None, reason="identity", now=clock.now())
        deliver()
        assert says(asa) == ["Your level is now 2."]

    def test_joining_and_leaving_a_business_tells_the_one_and_the_owner(self, asa: Customer, bo: Customer, shop: Party) -> None:
        assert (kinds(asa), kinds(bo)) == (["member_joined"], ["member_joined"])
        assert says(asa) == ["Bosse Example may now act for Lind's Shop."]
        assert says(bo) == ["You may now act for Lind's Shop."]
        membership = shop.memberships.get(person=bo.person)
        membership_end(by=asa.person, membership_id=membership.id, now=clock.now())
        deliver()
        assert (kinds(asa)[-1], kinds(bo)[-1]) == ("member_left", "member_left")


class TestRoles:
    """Who of a business hears of what."""

    @pytest.mark.parametrize("role", ["viewer", "member", "admin", "owner"])
    def test_a_topic_reaches_its_role_and_those_above(self, asa: Customer, bo: Customer, shop: Party, role: str) -> None:
        ranks = ["viewer", "member", "admin", "owner"]
        third = customer_make("third")
        membership_add(by=asa.person, party_id=shop.id, person=third.person, role=role, now=clock.now())
        for topic in Topic:
            heard = third.person in services.recipients(shop.id, topic=topic, at=clock.now())
            assert heard == (ranks.index(role) >= ranks.index(ABOUT[topic].role)), topic

    def test_strangers_former_members_and_the_disabled_hear_nothing(self, asa: Customer, bo: Customer, shop: Party) -> None:
        stranger = customer_make("stranger")
        membership_end(by=asa.person, membership_id=shop.memberships.get(person=bo.person).id, now=clock.now())
        assert services.recipients(shop.id, topic=Topic.RECEIVED, at=clock.now()) == [asa.person]
        assert stranger.person not in services.recipients(shop.id, topic=Topic.RECEIVED, at=clock.now())
        person_deactivate(person=asa.person, by=None, now=clock.now(), reason="test")
        assert services.recipients(shop.id, topic=Topic.RECEIVED, at=clock.now()) == []

    def test_what_a_business_receives_names_it(self, asa: Customer, bo: Customer, shop: Party) -> None:
        from accounts.services import handle_set

        handle_set(by=asa.person, party_id=shop.id, handle="lindshop", now=clock.now())
        payer = customer_make("payer", balance=50_00)
        payer.send("@lindshop", EUR_20, now=clock.now())
        deliver()
        view = selectors.notices_for(bo.person).rows[0]
        assert (view.words.sentence.text, view.party_name, view.words.href) == ("Payer E. sent you €20.00", "Lind's Shop", "")


class TestChoices:
    def test_a_channel_that_is_off_stays_silent(self, asa: Customer, bo: Customer) -> None:
        services.preferences_save(person=bo.person, wanted={(Topic.RECEIVED, Channel.EMAIL): False}, now=clock.now())
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        assert (kinds(bo), mails("bosse@example.com")) == (["received"], [])
        services.preferences_save(
            person=bo.person, wanted={(Topic.RECEIVED, Channel.EMAIL): True, (Topic.RECEIVED, Channel.IN_APP): False}, now=clock.now()
        )
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        assert (kinds(bo), len(mails("bosse@example.com"))) == (["received"], 1)

    def test_what_keeps_the_account_safe_cannot_be_switched_off(self, asa: Customer) -> None:
        services.preferences_save(person=asa.person, wanted=OFF, now=clock.now())
        assert not Preference.objects.filter(topic__in=[Topic.NEW_DEVICE, Topic.ACCOUNT]).exists()
        assert selectors.channels_of([asa.person.id], Topic.NEW_DEVICE)[asa.person.id] == set(Channel)

    def test_the_page_saves_what_is_ticked(self, asa: Customer) -> None:
        client = client_of(asa.person)
        page = client.get(reverse("notice_preferences"))
        assert page.content.decode().count("checked") == 16
        answer = client.post(reverse("notice_preferences"), {"received-in_app": "on"}, follow=True)
        assert "Your choices are saved." in answer.content.decode()
        # Two always-topics with two boxes each, and the one that was ticked.
        assert answer.content.decode().count("checked") == 5

    def test_are_one_persons_own(self, asa: Customer, bo: Customer) -> None:
        services.preferences_save(person=asa.person, wanted=OFF, now=clock.now())
        assert all(selectors.preferences_for(bo.person).values())

    def test_words_are_in_the_readers_time_zone_and_hide_amounts(self, asa: Customer, bo: Customer) -> None:
        person_update(person=bo.person, hide_amounts=True, now=clock.now())
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        assert "20.00" not in json.dumps(mails("bosse@example.com"))
        assert "20.00" not in client_of(bo.person).get("/notices/").content.decode()


class TestList:
    def fill(self, bo: Customer, count: int) -> None:
        asa = customer_make("astrid", balance=count * 1_00)
        for index in range(count):
            asa.send("@bosse", Money(1_00, "EUR"), note=f"n{index}", now=clock.now())
        deliver()

    def test_pages_follow_each_other_without_gap_or_overlap(self, bo: Customer) -> None:
        self.fill(bo, 7)
        # A whole import may carry one moment.
        Notice.objects.update(created_at=clock.now())
        seen, cursor = [], ""
        while True:
            page = selectors.notices_for(bo.person, cursor=cursor, limit=3)
            seen += [view.notice.id for view in page.rows]
            if not (cursor := page.next_cursor):
                break
        assert len(seen) == len(set(seen)) == 7
        assert seen == sorted(seen, reverse=True)

    @pytest.mark.parametrize("cursor", ["x", "\x00", NOBODYS, "0" * 500])
    def test_a_cursor_that_makes_no_sense_starts_from_the_top(self, bo: Customer, cursor: str) -> None:
        self.fill(bo, 1)
        assert client_of(bo.person).get("/notices/", {"after": cursor}).content.decode().count("sent you") == 1

    def test_costs_the_same_for_three_and_for_thirty(self, bo: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        self.fill(bo, 10)
        crypto._uncommitted.owners.clear()
        for limit in (3, 10):
            selectors.notices_for(bo.person, limit=limit)
            with django_assert_num_queries(3):  # notices with parties, payments, names
                assert len(selectors.notices_for(bo.person, limit=limit).rows) == limit

    def test_reads_an_index(self, bo: Customer) -> None:
        self.fill(bo, 2)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(
                "EXPLAIN SELECT id FROM engagement_notice WHERE person_id = %s ORDER BY created_at DESC, id DESC LIMIT 31", [bo.person.id]
            )
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "engagement_notice_list" in plan
        assert "Sort" not in plan

    def test_nothing_personal_is_stored(self, asa: Customer, bo: Customer) -> None:
        asa.send("@bosse", EUR_20, note="A secret lunch", now=clock.now())
        deliver()
        with connection.cursor() as cursor:
            cursor.execute("SELECT t::text FROM engagement_notice t")
            row = cursor.fetchone()[0]
        for text in ("Asa", "lunch", "2000", "20.00", "example"):
            assert text not in row

    def test_the_words_go_with_their_owner(self, asa: Customer, bo: Customer) -> None:
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        privacy.erase(asa.party_id, now=clock.now())
        assert says(bo) == ["Closed account sent you €20.00"]

    def test_names_cannot_bring_markup_along(self, bo: Customer) -> None:
        mallory = customer_make("mallory", balance=50_00)
        party = Party.objects.get(id=mallory.party_id)
        party.kind, party.name = Party.Kind.BUSINESS, "<script>alert(1)</script> {amount.__class__}"
        party.save()
        mallory.send("@bosse", EUR_20, note="<i>x</i>", now=clock.now())
        deliver()
        page = client_of(bo.person).get("/notices/").content.decode()
        assert "<script>alert" not in page
        assert "{amount.__class__}" in page
        assert "<i>x" not in page

    def test_every_kind_has_words_with_and_without_its_facts(self, asa: Customer) -> None:
        for kind in [*words._KINDS, "of_a_newer_version"]:
            notice = Notice(party_id=asa.party_id, person=asa.person, topic="account", kind=kind, source_id=uuid4(), created_at=clock.now())
            notice.party = asa.person.party
            [view] = words.views_of(asa.person, [notice])
            assert view.words.sentence.text
            assert view.words.sentence.html


class TestReading:
    def one(self, asa: Customer, bo: Customer) -> Notice:
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        return Notice.objects.get(person=bo.person)

    def test_opening_one_marks_it_and_goes_where_it_points(self, asa: Customer, bo: Customer) -> None:
        notice, client = self.one(asa, bo), client_of(bo.person)
        assert client.get("/")["Content-Type"]
        assert "1 unread" in client.get("/").content.decode()
        assert client.get(f"/notices/{notice.id}/")["Location"] == f"/activity/{notice.subject_id}/"
        assert "unread" not in client.get("/").content.decode()

    def test_all_at_once(self, asa: Customer, bo: Customer) -> None:
        self.one(asa, bo)
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        client = client_of(bo.person)
        assert "2 notices are marked as read." in client.post("/notices/read/", follow=True).content.decode()
        assert selectors.unread_count(bo.person) == 0
        assert "You have read everything" in client.get("/notices/?show=unread").content.decode()

    def test_again_changes_nothing(self, asa: Customer, bo: Customer) -> None:
        notice = self.one(asa, bo)
        first = services.notice_read(person=bo.person, notice_id=notice.id, now=clock.now()).read_at
        assert services.notice_read(person=bo.person, notice_id=notice.id, now=clock.now() + timedelta(days=1)).read_at == first

    def test_a_clock_moved_back_is_no_reason_to_fail(self, asa: Customer, bo: Customer) -> None:
        notice = self.one(asa, bo)
        assert services.notice_read(person=bo.person, notice_id=notice.id, now=clock.now() - timedelta(days=9)).read_at == notice.created_at

    def test_old_ones_are_forgotten(self, asa: Customer, bo: Customer) -> None:
        self.one(asa, bo)
        assert services.notices_forget(now=clock.now()) == 0
        assert services.notices_forget(now=clock.now() + services.KEPT_FOR + timedelta(days=1)) == 1


class TestBell:
    def test_has_no_body_while_nothing_changes(
        self, asa: Customer, bo: Customer, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = client_of(bo.person)
        first = client.get("/notices/bell/")
        assert first["Cache-Control"] == "private, no-cache"
        again = client.get("/notices/bell/", headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        changed = client.get("/notices/bell/", headers={"If-None-Match": first["ETag"]})
        assert changed.status_code == 200
        assert "1 unread" in changed.content.decode()

    def test_counts_no_further_than_it_shows(self, bo: Customer) -> None:
        Notice.objects.bulk_create(
            Notice(party_id=bo.party_id, person=bo.person, topic="account", kind="x", source_id=uuid4(), created_at=clock.now())
            for _ in range(150)
        )
        assert selectors.unread_count(bo.person) == 100
        assert "99+" in client_of(bo.person).get("/notices/bell/").content.decode()

    def test_a_session_that_ended_answers_like_any_page(self, bo: Customer) -> None:
        client = client_of(bo.person)
        sessions_end_all(person=bo.person)
        assert client.get("/notices/bell/").status_code == 302


class TestWhoMay:
    @pytest.mark.parametrize("path", ["/notices/", "/notices/bell/", "/more/notices/", f"/notices/{NOBODYS}/"])
    def test_visitors_sign_in_first(self, path: str, db: None) -> None:
        assert Client().get(path)["Location"].startswith("/auth/sign-in/")

    def test_somebody_elses_is_not_found(self, asa: Customer, bo: Customer) -> None:
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        notice = Notice.objects.get()
        staff = customer_make("staffer").person
        staff.is_staff = True
        staff.save()
        for stranger in (asa.person, staff):
            client = client_of(stranger)
            assert client.get(f"/notices/{notice.id}/").status_code == 404
            assert client.post(f"/notices/{notice.id}/read/").status_code == 404
        with pytest.raises(NotFound):
            services.notice_read(person=asa.person, notice_id=notice.id, now=clock.now())
        assert Notice.objects.get().read_at is None

    def test_reading_by_get_is_for_opening_only(self, bo: Customer) -> None:
        client = client_of(bo.person)
        assert client.get("/notices/read/").status_code == 405
        assert client.get(f"/notices/{uuid4()}/read/").status_code == 405


class TestPrivacy:
    def test_handed_out_and_erased(self, asa: Customer, bo: Customer) -> None:
        asa.send("@bosse", EUR_20, now=clock.now())
        deliver()
        services.preferences_save(person=bo.person, wanted={(Topic.RECEIVED, Channel.EMAIL): False}, now=clock.now())
        held = privacy.export(bo.party_id)["engagement.notices"]
        assert held["notices"][0]["kind"] == "received"
        assert held["choices"] == [{"topic": "received", "channel": "email", "wanted": False}]
        privacy.erase(bo.party_id, now=clock.now())
        assert not Notice.objects.filter(person=bo.person).exists()
        assert not Preference.objects.exists()
