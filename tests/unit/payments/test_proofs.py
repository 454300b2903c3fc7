"""Proofs of payments: who gets them, on the page and over the API, and that they hold; and the public seals."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.services import terms_accept
from core import clock
from payments.models import Payment
from tests.unit.payments.conftest import Customer, customer_make, eur
from wallets.seals import selectors, services

SCRIPT = Path(__file__).parents[3] / "docs" / "verify_proof.py"


@pytest.fixture
def payer(db: None) -> Customer:
    return customer_make("asa", balance=100_00, level=1)


@pytest.fixture
def payee(db: None) -> Customer:
    return customer_make("boel", level=1)


@pytest.fixture
def stranger(db: None) -> Customer:
    return customer_make("eve", level=1)


@pytest.fixture
def paid(payer: Customer, payee: Customer) -> Payment:
    return payer.send("@boel", eur(10_00), now=clock.now()).payment


def signed_in(customer: Customer) -> Client:
    client = Client()
    client.force_login(customer.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    terms_accept(customer.person, now=clock.now())
    return client


def test_both_sides_get_the_proof_and_it_holds(payer, payee, paid, tmp_path):
    services.seal(now=clock.now())
    for customer in (payer, payee):
        client = signed_in(customer)
        page = client.get(reverse("payment_proofs", args=[paid.id])).content.decode()
        (moved,) = selectors.moved_for(customer.party_id, keys=[paid.id])
        address = reverse("payment_proof", args=[paid.id, moved.id])
        assert address in page
        answer = client.get(address)
        assert answer["Content-Disposition"] == f'attachment; filename="proof-{moved.id}.json"'
        (tmp_path / "proof.json").write_bytes(answer.content)
        (tmp_path / "head.json").write_bytes(Client().get(reverse("ledger_head")).content)
        (tmp_path / "seals.json").write_bytes(Client().get(reverse("ledger_seals")).content)
        for more in ([], ["--head", "head.json"], ["--seals", "seals.json"]):
            done = subprocess.run([sys.executable, "-I", str(SCRIPT), "proof.json", *more], cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        assert str(paid.id) in done.stdout


def test_the_proof_names_nobody(payer, payee, paid):
    services.seal(now=clock.now())
    text = json.dumps(selectors.proof_of(selectors.moved_for(payer.party_id, keys=[paid.id])[0].id))
    for personal in ("asa", "boel", "example", str(payer.party_id), str(payee.party_id)):
        assert personal not in text.lower()


def test_nobody_else_gets_it(payer, payee, stranger, paid):
    services.seal(now=clock.now())
    (moved,) = selectors.moved_for(payer.party_id, keys=[paid.id])
    other = stranger.person
    staff = customer_make("vera", level=1)
    staff.person.is_staff = True
    staff.person.save()
    for client in (signed_in(stranger), signed_in(staff)):
        assert client.get(reverse("payment_proofs", args=[paid.id])).status_code == 404
        assert client.get(reverse("payment_proof", args=[paid.id, moved.id])).status_code == 404
    for name, arguments in (("payment_proofs", [paid.id]), ("payment_proof", [paid.id, moved.id])):
        assert Client().get(reverse(name, args=arguments)).status_code == 302
    assert selectors.moved_for(other.party_id, keys=[paid.id]) == []


def test_a_payment_opens_only_its_own_movements(payer, payee, paid):
    other = payer.send("@boel", eur(5_00), now=clock.now() + timedelta(seconds=1)).payment
    services.seal(now=clock.now())
    (moved,) = selectors.moved_for(payer.party_id, keys=[other.id])
    assert signed_in(payer).get(reverse("payment_proof", args=[paid.id, moved.id])).status_code == 404


def test_too_new_is_said_and_not_linked(payer, paid):
    client = signed_in(payer)
    page = client.get(reverse("payment_proofs", args=[paid.id])).content.decode()
    assert "Too new" in page
    (moved,) = selectors.moved_for(payer.party_id, keys=[paid.id])
    assert client.get(reverse("payment_proof", args=[paid.id, moved.id])).status_code == 409


def test_the_payment_s_page_leads_there(payer, paid):
    page = signed_in(payer).get(reverse("payment", args=[paid.id])).content.decode()
    assert reverse("payment_proofs", args=[paid.id]) in page


class TestPublic:
    def test_before_the_first_seal(self, db):
        client = Client()
        assert client.get(reverse("ledger_head")).status_code == 404
        assert client.get(reverse("ledger_seals")).json() == {"items": [], "next_before": None}
        assert "Nothing is sealed yet" in client.get(reverse("ledger")).content.decode()

    def test_everybody_sees_the_same(self, payer, paid):
        services.seal(now=clock.now())
        chain = selectors.seal_get(1).chain_hex
        for client in (Client(), signed_in(payer)):
            assert client.get(reverse("ledger_head")).json()["chain"] == chain
            assert client.get(reverse("ledger_seal", args=[1])).json()["chain"] == chain
            assert chain in client.get(reverse("ledger")).content.decode()
        assert Client().get(reverse("ledger_seal", args=[2])).status_code == 404
        assert Client().get("/ledger/seals/99999999999999999999999.json").status_code == 404

    def test_the_list_is_paged(self, payer, payee, monkeypatch):
        monkeypatch.setattr("wallets.seals.views.LISTED", 2)
        for number in range(5):
            payer.send("@boel", eur(1_00), now=clock.now() + timedelta(seconds=number))
            services.seal(now=clock.now())
        numbers, before = [], ""
        while before is not None:
            page = Client().get(reverse("ledger_seals"), {"before": before}).json()
            numbers += [row["number"] for row in page["items"]]
            before = page["next_before"]
        assert numbers == [5, 4, 3, 2, 1]

    def test_queries_do_not_grow(self, payer, payee, django_assert_num_queries):
        for number in range(3):
            payer.send("@boel", eur(1_00), now=clock.now() + timedelta(seconds=number))
            services.seal(now=clock.now())
        with django_assert_num_queries(1):
            selectors.seal_documents(limit=10)

    def test_the_script_is_the_one_in_the_docs(self, client):
        answer = client.get(reverse("ledger_verify_script"))
        assert answer.content == SCRIPT.read_bytes()
        assert answer["Content-Disposition"] == 'attachment; filename="verify_proof.py"'
