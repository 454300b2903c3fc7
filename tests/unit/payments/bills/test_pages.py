"""A new bill over its three pages, by plain HTTP: no script is needed."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client

from accounts.services import terms_accept
from core import clock
from payments.bills.models import Bill
from tests.unit.payments.bills.conftest import Time
from tests.unit.payments.conftest import PASSWORD, Customer

IBAN = "DE89 3704 0044 0532 0130 00"


def terms(who: Customer, **more: str) -> dict[str, str]:
    day = (clock.now() + timedelta(days=3)).date().isoformat()
    return {"name": "Rent", "wallet": str(who.wallet.id), "amount": "31,50", "amount_kind": "fixed", "first_on": day, "rhythm": "month:1",
            "shift": "after", "country": "SE", "at": "08:00", **more}  # fmt: skip


def test_a_new_bill_is_agreed_approved_and_steered(astrid: Customer, bo: Customer, time: Time, client: Client) -> None:
    for who in (astrid, bo):
        terms_accept(who.person, now=clock.now())
    client.force_login(astrid.person)
    assert client.post("/pay/bills/new/", {"iban": "DE00", "holder": "L"}).status_code == 422
    assert client.post("/pay/bills/new/", {"payee": "@astrid"}).status_code == 422
    where = client.post("/pay/bills/new/", {"iban": IBAN, "holder": "Land Lord"})["Location"]
    refused = client.post(where, terms(astrid, first_on="2020-01-31"))
    assert (refused.status_code, b"This day has passed" in refused.content) == (422, True)
    assert client.post(where, terms(astrid, first_on="2026-02-30")).status_code == 422
    check = client.post(where, terms(astrid))["Location"]
    assert b"Land Lord" in client.get(check).content
    approve = client.post(check)["Location"]
    assert client.post(check)["Location"] == approve
    page = client.get(approve).content.decode()
    assert "DE89 3704 0044 0532 0130 00" in page
    assert "Every month on day" in page
    back = client.post(approve, {"password": PASSWORD})["Location"]
    assert b"data-go-on" in client.get(back).content
    bill = Bill.objects.get()
    client.post(f"/pay/bills/{bill.id}/do/go-on/")
    bill.refresh_from_db()
    assert bill.state == "active"
    assert b"Rent" in client.get("/pay/bills/").content
    for act, state in (("pause", "paused"), ("resume", "active"), ("end", "ended")):
        assert client.post(f"/pay/bills/{bill.id}/do/{act}/").status_code == 302
        bill.refresh_from_db()
        assert bill.state == state
    assert client.post(f"/pay/bills/{bill.id}/do/pause/", follow=True).status_code == 200
    assert client.post(f"/pay/bills/{bill.id}/do/nothing/").status_code == 404
    client.force_login(bo.person)
    assert client.get(f"/pay/bills/{bill.id}/").status_code == 404
    assert client.post(f"/pay/bills/{bill.id}/do/end/").status_code == 404
