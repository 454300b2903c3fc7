"""Pages of pots over the test client."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.services import terms_accept
from core import clock
from core.money import Money
from tests.unit.payments.conftest import Customer, customer_make
from wallets import selectors
from wallets.pots.models import Pot
from wallets.pots.services import pot_close, pot_open, pot_put

pytestmark = pytest.mark.django_db


def client_of(customer: Customer) -> Client:
    terms_accept(customer.person, now=clock.now())
    client = Client()
    client.force_login(customer.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def asa() -> Customer:
    return customer_make("asa", balance=100_00)


@pytest.fixture
def pot(asa: Customer) -> Pot:
    pot = pot_open(party_id=asa.party_id, wallet_id=asa.wallet.id, name="Holiday", idempotency_key="p", now=clock.now())
    return pot_put(party_id=asa.party_id, pot_id=pot.id, amount=Money(12_34, "EUR"), idempotency_key="p", now=clock.now())


def form_of(client: Client, path: str, **typed: str) -> dict[str, str]:
    found = re.search(r'name="key" value="([^"]+)"', client.get(path).content.decode())
    return {"key": found[1] if found else "", **typed}


def test_a_pot_is_opened_filled_emptied_and_closed(asa: Customer) -> None:
    client = client_of(asa)
    new = f"/wallets/{asa.wallet.id}/pots/new/"
    assert "No pots yet" in client.get(f"/wallets/{asa.wallet.id}/").content.decode()
    form = form_of(client, new, name="Holiday", goal="80,00", goal_on="2090-01-01")
    place = client.post(new, form)["Location"]
    assert client.post(new, form)["Location"] == place
    assert "Nothing in it yet" in client.get(place).content.decode()
    into = form_of(client, f"{place}put/", amount="30")
    assert client.post(f"{place}put/", into).status_code == 302
    assert client.post(f"{place}put/", into).status_code == 302
    page = client.get(place).content.decode()
    assert "€30.00" in page
    assert "37%" in page
    wallet = client.get(f"/wallets/{asa.wallet.id}/").content.decode()
    assert "€70.00" in wallet
    assert "Put into pot" in wallet
    assert "Holiday" in wallet
    client.post(f"{place}take/", form_of(client, f"{place}take/", amount="10"))
    client.post(f"{place}change/", form_of(client, f"{place}change/", name="Rent", goal="", goal_on=""))
    assert Pot.objects.get().name == "Rent"
    assert "€20.00" in client.get(f"{place}close/").content.decode()
    client.post(f"{place}close/")
    assert "Closed" in client.get(place).content.decode()
    assert asa.balance() == 100_00


@pytest.mark.parametrize("amount", ["", "0", "-1", "1000", "12,345", "NaN", "\x00", "9" * 70])
@pytest.mark.parametrize("way", ["put", "take"])
def test_an_amount_is_refused_at_its_field(asa: Customer, pot: Pot, amount: str, way: str) -> None:
    client = client_of(asa)
    path = f"/wallets/pots/{pot.id}/{way}/"
    answer = client.post(path, form_of(client, path, amount=amount))
    assert answer.status_code == 422
    assert 'href="#id_amount"' in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"goal": "nonsense"}, "goal"),
        ({"goal": "0"}, "goal"),
        ({"goal_on": "2090-01-01"}, "goal_on"),
        ({"goal": "5", "goal_on": "2001-01-01"}, "goal_on"),
        ({"goal_on": "yesterday"}, "goal_on"),
    ],
)
def test_what_is_typed_wrong_is_said_at_its_field(asa: Customer, typed: dict[str, str], field: str) -> None:
    client = client_of(asa)
    path = f"/wallets/{asa.wallet.id}/pots/new/"
    answer = client.post(path, form_of(client, path, **{"name": "Holiday", "goal": "", "goal_on": "", **typed}))
    assert answer.status_code == 422
    assert f'href="#id_{field}"' in answer.content.decode()
    assert not Pot.objects.exists()


def test_nobody_elses_pot_is_found(asa: Customer, pot: Pot) -> None:
    stranger, visitor = client_of(customer_make("eve")), Client()
    for rest in ("", "change/", "put/", "take/", "close/"):
        path = f"/wallets/pots/{pot.id}/{rest}"
        assert stranger.get(path).status_code == 404
        assert visitor.get(path)["Location"].startswith("/auth/sign-in/")
        if rest:
            assert stranger.post(path, {"amount": "1", "name": "x"}).status_code == 404
    assert stranger.get(f"/wallets/{asa.wallet.id}/pots/new/").status_code == 404


def test_hidden_amounts_are_not_in_the_pages(asa: Customer, pot: Pot) -> None:
    client = client_of(asa)
    client.post("/hide-amounts/", {"next": "/"})
    for path in ("/", "/wallets/", f"/wallets/{asa.wallet.id}/", f"/wallets/pots/{pot.id}/"):
        page = client.get(path).content.decode()
        assert "12.34" not in page
        assert "87.66" not in page


def test_cannot_be_paid_from(asa: Customer, pot: Pot) -> None:
    from wallets.errors import WalletNotFound

    customer_make("bosse")
    with pytest.raises(WalletNotFound):
        asa.send("@bosse", Money(1_00, "EUR"), source_wallet_id=pot.id, now=clock.now())


def test_safe_to_spend_leaves_out_what_is_in_pots(asa: Customer, pot: Pot) -> None:
    from budgeting.selectors import keeper_is, safe_to_spend

    safe = safe_to_spend(asa.party_id, keeper_is(asa.person), now=clock.now())
    assert (safe.balance, safe.pots) == (Money(100_00, "EUR"), Money(12_34, "EUR"))
    assert safe.amount == Money(87_66, "EUR")
    assert "In your pots" in client_of(asa).get("/plan/").content.decode()


def test_the_limit_on_what_a_party_holds_counts_pots(asa: Customer, pot: Pot) -> None:
    from hub.selectors import reference_balance

    assert reference_balance(asa.party_id) == Money(100_00, "EUR")
    pot_close(party_id=pot.party_id, pot_id=pot.id, now=clock.now())
    assert selectors.balance_of(asa.wallet).available == Money(100_00, "EUR")
