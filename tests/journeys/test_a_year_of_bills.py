"""
A year of three bills, set up in a browser and lived through on a moved clock: rent to somebody here on the last day of each
month, a gym's bank account on working days, and electricity up to a limit on the 28th. It crosses Easter, both clock changes
in the person's zone and a summer in which the wallet is empty.

The calendar below is worked out by hand, not by the program.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db.models import Value
from playwright.sync_api import Browser, Page, expect

from accounts.approvals import Action, approval_confirm, approval_request
from accounts.models import Person
from compliance.services import level_set
from core import clock
from core.db import SYSTEM, scope
from core.models import Delivery, DueWork, Event
from core.money import Money
from payments.bills.models import Bill, BillRun
from payments.bills.services import bill_amount_set
from payments.gateways import bank_gateway
from payments.gateways.base import BankTransferState
from payments.models import Kind, Payment
from payments.services import transfer_send
from tests.browsers import Watch, axe_problems, layout_problems
from tests.live import LiveHub, eventually
from tests.people import PASSWORD, funded, person, sign_up, signed_in
from wallets import selectors as wallets
from wallets.models import Wallet

pytestmark = pytest.mark.browser

ZONE = ZoneInfo("Europe/Stockholm")
RENT, GYM, POWER = "Rent", "Gym", "Electricity"
RENT_EUR, GYM_EUR, SALARY_EUR = 90_00, 35_00, 185_00
# What electricity costs, month by month; more than the 60 that are allowed never comes.
POWER_EUR = (58_20, 55_10, 49_00, 41_50, 36_90, 33_30, 31_00, 32_40, 38_00, 46_60, 52_80, 59_90)

# When money has to move, where Ada lives. On 28 March the clocks go from 2 to 3; on 31 October half past two comes twice,
# and the first one counts. 26 March is Good Friday and the 29th Easter Monday; 26 June, 26 September and 26 December are
# weekends, 26 June Midsummer.
RENT_AT = (
    "01-31 02:30", "02-28 02:30", "03-31 02:30", "04-30 02:30", "05-31 02:30", "06-30 02:30", "08-03 02:30", "08-31 02:30", "09-30 02:30",
    "10-31 02:30", "11-30 02:30", "12-31 02:30",
)  # fmt: skip
GYM_AT = (
    "01-26 00:15", "02-26 00:15", "03-30 00:15", "04-26 00:15", "05-26 00:15", "06-28 00:15", "08-26 00:15", "09-27 00:15", "10-26 00:15",
    "11-26 00:15", "12-27 00:15",
)  # fmt: skip
POWER_AT = (
    "01-28 02:30", "02-28 02:30", "03-28 03:30", "04-28 02:30", "05-28 02:30", "06-28 02:30", "08-28 02:30", "09-28 02:30", "10-28 02:30",
    "11-28 02:30", "12-28 02:30",
)  # fmt: skip
# In July there is nothing in the wallet: each bill is tried three times, and salary comes in time for the rent's third.
TRIED_AT = (
    (GYM, "07-26 00:15"), (GYM, "07-27 00:15"),
    (POWER, "07-28 02:30"), (POWER, "07-29 02:30"),
    (RENT, "07-31 02:30"), (RENT, "08-01 02:30"),
)  # fmt: skip
GIVEN_UP_AT = ((GYM, "07-29 00:15"), (POWER, "07-31 02:30"))
SALARY_AT = (*(f"{month:02}-25 09:00" for month in range(1, 13) if month != 7), "08-02 12:00")


def at(text: str) -> datetime:
    """ "03-28 03:30", where Ada lives, in 2027."""
    return datetime.strptime(f"2027-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)


PAID = {RENT: [at(text) for text in RENT_AT], GYM: [at(text) for text in GYM_AT], POWER: [at(text) for text in POWER_AT]}


def cost(name: str, month: int) -> int:
    return {RENT: RENT_EUR, GYM: GYM_EUR}.get(name) or POWER_EUR[month - 1]


def eur(minor: int) -> str:
    return f"{'−' if minor < 0 else ''}€{abs(minor) // 100:,}.{abs(minor) % 100:02}"


def quarter(moment: datetime) -> str:
    """The quarter of an hour where Ada lives: a jump lands on its first second, and work takes a little while."""
    local = moment.astimezone(ZONE)
    return f"{local.replace(minute=local.minute // 15 * 15):%m-%d %H:%M}"


# --- time: moved as an operator moves it, read by web, worker and sandbox --------------------------------------------------


def jump(moment: datetime) -> None:
    """Go there, and let the worker do what is due by then."""
    call_command("clock_set", to=moment.astimezone(UTC).isoformat(), json=True, stdout=StringIO())
    eventually(is_settled, seconds=30, why="the worker to do what is due")


def is_settled() -> bool:
    """Nothing is due and nothing is to be delivered: asked in one statement, since each of them makes more of the other."""
    with scope(SYSTEM):
        due = DueWork.objects.filter(state=DueWork.State.WAITING, due_at__lte=clock.now())
        told, delivered = Event.objects.filter(fanned_out=False), Delivery.objects.filter(state=Delivery.State.WAITING)
        one = [rows.annotate(one=Value(1)).values("one") for rows in (due, told, delivered)]
        return not one[0].union(one[1], one[2]).exists()


def bank_answers() -> None:
    """The bank carries its orders out in real time; a little later, by the hub's time, it is asked how they stand."""
    with scope(SYSTEM):
        waiting = list(Payment.objects.filter(kind=Kind.PAYOUT, state="waiting").values_list("id", flat=True))
    assert waiting

    def settled() -> bool:
        found = [bank_gateway().transfer_find(reference=payment_id) for payment_id in waiting]
        return all(one is not None and one.state is BankTransferState.SETTLED for one in found)

    eventually(settled, why="the bank to settle")
    call_command("clock_set", advance="PT20S", json=True, stdout=StringIO())
    eventually(is_settled, seconds=30, why="the worker to hear of it")


# --- people around Ada -----------------------------------------------------------------------------------------------------


class World:
    """Who pays Ada and who is paid by her; all but her are made by services, as they would be by pages of their own."""

    def __init__(self) -> None:
        self.bo, self.volt = person("bo@example.com", "Bo Ek"), person("volt@example.com", "Vera Volt")
        self.works = person("works@example.com", "Works Testville")
        with scope(SYSTEM):
            for one in (self.bo, self.volt, self.works):
                level_set(party_id=one.party_id, level=2, by=None, reason="test", now=clock.now())
        self.till = funded(self.works, 5_000_00, clock.now())

    def pay_ada(self, amount: int, note: str) -> None:
        now, money = clock.now(), Money(amount, "EUR")
        with scope(SYSTEM):
            ada = Person.objects.get(email="ada@example.com")
            action = Action("transfer", amount=money, payee=ada.party_id, extra={"wallet": str(self.till.id)})
            approval = approval_request(self.works, action, now)
            approval_confirm(self.works, approval.id, password=PASSWORD, now=now)
            transfer_send(
                by=self.works,
                party_id=self.works.party_id,
                source_wallet_id=self.till.id,
                payee=ada.email,
                amount=money,
                note=note,
                approval_id=approval.id,
                idempotency_key=f"{note}:{now.isoformat()}",
                now=now,
            )
        eventually(is_settled, seconds=30, why="the money to arrive")

    def say_power(self, month: int) -> None:
        with scope(SYSTEM):
            bill = Bill.objects.get(payee_party_id=self.volt.party_id)
            bill_amount_set(by=self.volt, bill_id=bill.id, amount=Money(cost(POWER, month), "EUR"), now=clock.now())
        eventually(is_settled, seconds=30, why="the news of the amount")

    def balances(self) -> dict[str, int]:
        with scope(SYSTEM):
            names = {self.bo.party_id: "bo", self.volt.party_id: "volt"}
            found = Wallet.objects.filter(party_id__in=names)
            return {names[wallet.party_id]: wallets.balance_of(wallet).posted.amount for wallet in found}


# --- what Ada does and sees ------------------------------------------------------------------------------------------------


class Ada:
    def __init__(self, hub: LiveHub, page: Page) -> None:
        self.hub, self.page = hub, page

    def look(self, path: str) -> Page:
        """Open a page, signing in again where the session has run out meanwhile."""
        self.page.goto(f"{self.hub.url}{path}")
        if "/auth/sign-in/" in self.page.url:
            signed_in(self.page, self.hub, "ada@example.com")
            self.page.goto(f"{self.hub.url}{path}")
        return self.page

    def budget(self, **amounts: str) -> None:
        page = self.look("/plan/budgets/")
        for category, amount in amounts.items():
            page.locator(f"#id_{category}").fill(amount)
        page.get_by_role("button", name="Save budgets").click()
        expect(page.get_by_text("Your budgets are saved.")).to_be_visible()

    def bill_to_somebody(self, payee: str) -> None:
        page = self.look("/pay/bills/new/")
        page.get_by_label("E-mail address or handle").fill(payee)
        page.get_by_role("button", name="Continue", exact=True).click()

    def bill_to_bank(self, holder: str, iban: str) -> None:
        page = self.look("/pay/bills/new/")
        page.get_by_label("Name of the account’s holder").fill(holder)
        page.get_by_label("IBAN").fill(iban)
        page.get_by_role("button", name="Continue to the amount").click()

    def agree(self, name: str, amount: str, first_on: str, hour: str, *, note: str, first_days: str) -> None:
        """The terms that every bill has, then the check, the password, and the bill is active."""
        page = self.page
        page.get_by_label("What is it for?").fill(name)
        page.get_by_label("Amount", exact=True).fill(amount)
        page.get_by_label("First payment").fill(first_on)
        page.get_by_label("Time of day").fill(hour)
        page.get_by_label("Note").fill(note)
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text(first_days)).to_be_visible()
        page.get_by_role("button", name="Agree").click()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("The bill is set up.")).to_be_visible()
        expect(page.get_by_role("heading", name=name)).to_be_visible()

    def calendar(self) -> list[tuple[str, str, str]]:
        """Day, name and amount of what the page says is coming."""
        page = self.look("/pay/bills/")
        assert axe_problems(page) + layout_problems(page) == []
        rows = page.locator("section[aria-labelledby^=month-] a.row").all()
        days = [row.locator("time").get_attribute("datetime") or "" for row in rows]
        names = [row.locator("bdi").first.inner_text() for row in rows]
        return list(zip(days, names, [row.locator(".row-end").inner_text() for row in rows], strict=True))

    def safe(self) -> dict[str, str]:
        """The formula of what is safe to spend, line by line."""
        page = self.look("/plan/")
        lines = page.locator("#safe dl > div").all()
        return {" ".join(line.locator("dt").inner_text().split()): " ".join(line.locator("dd").inner_text().split()) for line in lines}

    def spent(self, month: int) -> dict[str, str]:
        """Budgets of a month: "€148.20 of €150.00"."""
        page = self.look(f"/plan/?month=2027-{month:02}")
        rows = page.locator("li.budget-row").all()
        return {row.locator(".row-title").inner_text(): row.locator("a .row-sub").first.inner_text() for row in rows}

    def notices(self) -> list[tuple[str, str]]:
        """Everything in the list, however many pages it has: title and time."""
        page, found = self.look("/notices/"), []
        while True:
            assert axe_problems(page) + layout_problems(page) == []
            for row in page.locator("ul.notices li").all():
                time = row.locator("time").get_attribute("datetime") or ""
                title = " ".join(row.locator(".row-title").inner_text().split())
                found.append((title.removeprefix("Unread: "), quarter(datetime.fromisoformat(time))))
            older = page.get_by_role("link", name="Older")
            if not older.count():
                return found
            older.click()

    def send_everything(self, amount: str) -> None:
        page = self.look("/pay/send/")
        page.get_by_label("E-mail address or handle").fill("bo@example.com")
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Amount").fill(amount)
        page.get_by_label("Note").fill("Holiday cottage")
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Send").click()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("Done", exact=True).first).to_be_visible()


def bills_set_up(ada: Ada, world: World) -> None:
    ada.bill_to_somebody("bo@example.com")
    ada.page.get_by_label("Always on the last day of the month").check()
    ada.agree(RENT, "90", "2027-01-31", "02:30", note="Rent of the room", first_days="31 Jan 2027, 28 Feb 2027, 31 Mar 2027, 30 Apr 2027")

    ada.bill_to_bank("Testville Gym", "DE89 3704 0044 0532 0130 00")
    ada.page.get_by_label("on the working day after").check()
    ada.page.get_by_label("Whose holidays").select_option("SE")
    ada.agree(GYM, "35", "2027-01-26", "00:15", note="Ada Lind 4711", first_days="26 Jan 2027, 26 Feb 2027, 30 Mar 2027, 26 Apr 2027")

    ada.bill_to_somebody("volt@example.com")
    ada.page.get_by_label("A different amount every time, up to a limit").check()
    ada.agree(POWER, "60", "2027-01-28", "02:30", note="Electricity", first_days="28 Jan 2027, 28 Feb 2027, 28 Mar 2027, 28 Apr 2027")


def power_asked_for(hub: LiveHub, page: Page) -> None:
    """Who is paid says how much, on a page of their own; more than is allowed is refused, without telling the limit."""
    signed_in(page, hub, "volt@example.com")
    page.goto(f"{hub.url}/pay/bills/")
    page.get_by_role("link", name="Ada L.").click()
    for amount in ("61", f"{cost(POWER, 1) / 100:.2f}"):
        page.get_by_label("Amount this time").fill(amount)
        page.get_by_role("button", name="Set the amount").click()
        if amount == "61":
            expect(page.get_by_role("link", name="This is more than the bill allows.")).to_be_visible()
    expect(page.get_by_text("The amount is set.")).to_be_visible()


def is_safe(ada: Ada, amount: int) -> None:
    """On Plan and on Home."""
    assert ada.safe()["Safe to spend"] == eur(amount)
    ada.look("/")
    expect(ada.page.get_by_text(eur(amount)).first).to_be_visible()


@pytest.mark.timeout(300)
def test_a_year_of_bills(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    jump(at("01-04 09:00"))
    hub.faults(bank_outcome="late", late_seconds=0)
    world = World()
    context = browser.new_context(viewport={"width": 390, "height": 844}, timezone_id="Europe/Stockholm")
    watch, page = Watch.over(context, hub.url, hub.sandbox), context.new_page()
    ada = Ada(hub, page)
    sign_up(page, hub, email="ada@example.com", name="Ada Lind")
    world.pay_ada(40_00, "Welcome")

    # The first evening: budgets, three bills, and what they mean.
    ada.budget(housing="150", health="40")
    bills_set_up(ada, world)
    assert ada.calendar() == [
        ("2027-01-26", GYM, "€35.00"),
        ("2027-01-28", POWER, "up to\n€60.00"),
        ("2027-01-31", RENT, "€90.00"),
        ("2027-02-26", GYM, "€35.00"),
        ("2027-02-28", RENT, "€90.00"),
        ("2027-02-28", POWER, "up to\n€60.00"),
    ]
    assert ada.safe()["Safe to spend"] == eur(40_00 - 35_00 - 60_00 - 90_00)
    power_asked_for(hub, browser.new_context().new_page())
    assert ada.safe()["Safe to spend"] == eur(40_00 - 35_00 - 58_20 - 90_00)

    def pay_day(text: str) -> None:
        world.pay_ada(SALARY_EUR, "Salary")
        month = int(text[:2])
        if text[3:5] == "25" and month > 1:
            world.say_power(month)

    def easter() -> None:
        assert ada.calendar() == [
            ("2027-03-28", POWER, "€49.00"),
            ("2027-03-30", GYM, "€35.00"),
            ("2027-03-31", RENT, "€90.00"),
            ("2027-04-26", GYM, "€35.00"),
            ("2027-04-28", POWER, "up to\n€60.00"),
            ("2027-04-30", RENT, "€90.00"),
            ("2027-05-26", GYM, "€35.00"),
            ("2027-05-28", POWER, "up to\n€60.00"),
        ]
        # What it says before the bills of Easter it says after them, too: they were counted all the while.
        is_safe(ada, 57_70)

    def holidays() -> None:
        # Nothing is due before the salary of the 25th, says the page. She goes on holiday, and that salary is late.
        assert ada.safe()["Safe to spend"] == eur(126_00)
        ada.send_everything("126")
        world.say_power(7)

    def august() -> None:
        assert ada.calendar() == [
            ("2027-08-03", RENT, "€90.00"),
            ("2027-08-26", GYM, "€35.00"),
            ("2027-08-28", POWER, "up to\n€60.00"),
            ("2027-08-31", RENT, "€90.00"),
            ("2027-09-27", GYM, "€35.00"),
            ("2027-09-28", POWER, "up to\n€60.00"),
            ("2027-09-30", RENT, "€90.00"),
        ]
        expect(page.get_by_text("Rent · tried again")).to_be_visible()
        assert ada.safe()["Safe to spend"] == eur(-(90_00 + 35_00 + 60_00 + 90_00))
        expect(page.get_by_text("Your bills are more than you have.")).to_be_visible()

    looked_at: dict[datetime, Callable[[], None]] = {
        **{at(text): bank_answers for text in GYM_AT},
        **{at(text): functools.partial(pay_day, text) for text in SALARY_AT},
        at("03-27 12:00"): easter,
        at("03-30 12:00"): functools.partial(is_safe, ada, 57_70),
        at("07-05 12:00"): holidays,
        at("08-01 12:00"): august,
        at("08-03 12:00"): functools.partial(is_safe, ada, SALARY_EUR - RENT_EUR - (35_00 + 60_00 + 90_00)),
    }
    due = {at(text) for text in (*RENT_AT, *POWER_AT, *(text for _, text in (*TRIED_AT, *GIVEN_UP_AT)))}
    for moment in sorted(due | set(looked_at)):
        jump(moment)
        if moment in looked_at:
            looked_at[moment]()
    jump(at("12-31 20:00"))

    # Each was paid once, on its day and at its hour, for what it cost; all that was tried is accounted for.
    with scope(SYSTEM):
        bills = {bill.name: bill for bill in Bill.objects.all()}
        for name, moments in PAID.items():
            payments = list(Payment.objects.filter(idempotency_key__startswith=f"bill:{bills[name].id}:").order_by("created_at"))
            assert [(quarter(one.created_at), one.amount_minor, one.state) for one in payments] == [
                (quarter(moment), cost(name, moment.month), "posted") for moment in moments
            ]
            runs = list(BillRun.objects.filter(bill=bills[name]).order_by("on_date").values_list("state", flat=True))
            late = "paid" if name == RENT else "failed"
            assert runs == ["paid"] * 6 + [late] + ["paid"] * 5 + ["scheduled"]
        july = sum(POWER_EUR) - cost(POWER, 7)
        assert world.balances() == {"bo": 12 * RENT_EUR + 126_00, "volt": july}
    call_command("ledger_verify", json=True, stdout=StringIO())

    # Each was told, in the list and by mail, at the time at which it happened.
    told = Counter(
        [(f"{name} is paid", quarter(moment)) for name, moments in PAID.items() for moment in moments]
        + [(f"{name} could not be paid yet", text) for name, text in TRIED_AT]
        + [(f"{name} was not paid", text) for name, text in GIVEN_UP_AT]
        + [(f"{POWER} asks for more than you allow", "01-04 09:00")]
    )
    assert Counter(one for one in ada.notices() if one[0].startswith((RENT, GYM, POWER))) == told
    mails_found = hub.mails_to("ada@example.com")
    mails = [(mail["subject"], quarter(datetime.fromisoformat(mail["at"]))) for mail in mails_found]
    assert Counter(one for one in mails if one[0].startswith((RENT, GYM, POWER))) == told

    [first] = [mail["text"] for mail in mails_found if quarter(datetime.fromisoformat(mail["at"])) == "07-26 00:15"]
    assert "€35.00 · There was not enough money. We try again on Tuesday 27 July; top up so that it succeeds." in first

    # The budgets moved with them, month by month; the rent of July is August's.
    for month in range(1, 13):
        rents = {7: 0, 8: 2}.get(month, 1)
        power, gym = (cost(POWER, month), GYM_EUR) if month != 7 else (0, 0)
        assert ada.spent(month) == {
            "Rent, energy and phone": f"{eur(rents * RENT_EUR + power)} of €150.00",
            "Health and care": f"{eur(gym)} of €40.00",
        }

    # And it goes on: next year's February has 29 days, and the 26th is a Saturday.
    jump(datetime(2028, 1, 1, 9, tzinfo=ZONE))
    assert ada.calendar() == [
        ("2028-01-26", GYM, "€35.00"),
        ("2028-01-28", POWER, "up to\n€60.00"),
        ("2028-01-31", RENT, "€90.00"),
        ("2028-02-28", GYM, "€35.00"),
        ("2028-02-28", POWER, "up to\n€60.00"),
        ("2028-02-29", RENT, "€90.00"),
    ]
    assert ada.safe()["Safe to spend"] == eur(165_30)
    page.get_by_role("link", name="Pay", exact=True).click()
    page.get_by_role("main").get_by_role("link", name="Bills").click()
    page.get_by_role("link", name=GYM).first.click()
    expect(page.get_by_text("Not paid", exact=True)).to_have_count(1)
    expect(page.get_by_text("Paid", exact=True)).to_have_count(11)
    page.get_by_role("link", name="Bills").first.click()
    page.get_by_role("link", name=RENT).first.click()
    expect(page.get_by_text("Paid", exact=True)).to_have_count(12)
    expect(page.get_by_text("paid on 3 Aug 2027")).to_have_count(1)
    assert watch.take() == []
    context.close()
