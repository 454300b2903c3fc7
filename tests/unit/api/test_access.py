"""Who may call what: one row per operation, one test per kind of caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Party, Person
from accounts.services import PartnerCreated, household_open, membership_add
from budgeting.models import FeedItem
from budgeting.services import feed_follow
from core import clock
from core.api.scopes import SCOPES, WEBHOOKS_MANAGE
from core.api.views import ApiView
from core.money import Money
from payments.bills.services import Terms, To, bill_create
from payments.services import payout_send, transfer_send
from tests.unit.api.conftest import Api, bearer, eur, session_api, token_for
from wallets.models import Wallet
from wallets.pots.services import pot_open, pot_put
from wallets.seals.services import seal

pytestmark = pytest.mark.django_db

IBAN = "DE89370400440532013000"
BILL = {"name": "Rent", "wallet_id": "{wallet}", "amount": eur(20_00), "amount_kind": "up_to", "schedule": {"first_on": "{soon}"}}
# Method, path (with the owner's objects), what is sent, and the scope it takes.
OPERATIONS: list[tuple[str, str, Any, str]] = [
    ("GET", "/me", None, "profile:read"),
    ("GET", "/wallets", None, "wallets:read"),
    ("POST", "/wallets", {"currency": "SEK"}, "wallets:write"),
    ("GET", "/wallets/{wallet}", None, "wallets:read"),
    ("POST", "/wallets/{wallet}/close", {}, "wallets:write"),
    ("GET", "/wallets/{wallet}/entries", None, "wallets:read"),
    ("GET", "/wallets/{wallet}/statements?from=2026-01-01&to=2026-12-31", None, "wallets:read"),
    ("GET", "/wallets/{wallet}/pots", None, "pots:read"),
    ("POST", "/wallets/{wallet}/pots", {"name": "Rent"}, "pots:write"),
    ("GET", "/pots/{pot}", None, "pots:read"),
    ("PUT", "/pots/{pot}", {"name": "Rent"}, "pots:write"),
    ("POST", "/pots/{pot}/put", {"amount": eur(1_00)}, "pots:write"),
    ("POST", "/pots/{pot}/take", {"amount": eur(1_00)}, "pots:write"),
    ("POST", "/pots/{pot}/close", {}, "pots:write"),
    ("GET", "/payees?query=@boek", None, "transfers:write"),
    ("GET", "/transfers", None, "transfers:read"),
    ("POST", "/transfers", {"wallet_id": "{wallet}", "payee": "@boek", "amount": eur(1_00)}, "transfers:write"),
    ("GET", "/transfers/{transfer}", None, "transfers:read"),
    ("POST", "/transfers/{waiting}/approval", {}, "transfers:write"),
    ("POST", "/transfers/{waiting}/complete", {}, "transfers:write"),
    ("POST", "/transfers/{waiting}/cancel", {}, "transfers:write"),
    ("GET", "/top-ups", None, "top_ups:read"),
    ("POST", "/top-ups", {"wallet_id": "{wallet}", "amount": eur(5_00)}, "top_ups:write"),
    ("GET", "/top-ups/{transfer}", None, "top_ups:read"),
    ("GET", "/payouts", None, "payouts:read"),
    ("POST", "/payouts", {"wallet_id": "{wallet}", "iban": IBAN, "holder": "Land Lord", "amount": eur(1_00)}, "payouts:write"),
    ("GET", "/payouts/{payout}", None, "payouts:read"),
    ("POST", "/payouts/{payout}/approval", {}, "payouts:write"),
    ("POST", "/payouts/{payout}/complete", {}, "payouts:write"),
    ("POST", "/payouts/{payout}/cancel", {}, "payouts:write"),
    ("GET", "/activity", None, "wallets:read"),
    ("GET", "/activity/{payment}/proofs", None, "wallets:read"),
    ("GET", "/wallets/{wallet}/entries/{seq}/proof", None, "wallets:read"),
    ("GET", "/limits", None, "limits:read"),
    ("GET", "/feed", None, "budgets:read"),
    ("GET", "/feed/{item}", None, "budgets:read"),
    ("POST", "/feed/{item}/category", {"category": "gifts"}, "budgets:write"),
    ("GET", "/categories", None, "budgets:read"),
    ("GET", "/budgets", None, "budgets:read"),
    ("POST", "/budgets", {"budgets": [{"category": "gifts", "amount": eur(5_00)}]}, "budgets:write"),
    ("GET", "/safe-to-spend", None, "budgets:read"),
    ("GET", "/currencies", None, ""),
    ("GET", "/bills", None, "bills:read"),
    ("POST", "/bills", {"payee": "@boek", **BILL}, "bills:write"),
    ("GET", "/bills/coming?from_date=2026-03-01&to_date=2026-03-31", None, "bills:read"),
    ("GET", "/bills/{bill}", None, "bills:read"),
    ("PUT", "/bills/{bill}", BILL, "bills:write"),
    ("POST", "/bills/{bill}/complete", {}, "bills:write"),
    ("POST", "/bills/{bill}/pause", {}, "bills:write"),
    ("POST", "/bills/{bill}/resume", {}, "bills:write"),
    ("POST", "/bills/{bill}/skip", {"period": "{period}"}, "bills:write"),
    ("POST", "/bills/{bill}/end", {}, "bills:write"),
    ("PUT", "/bills/{bill}/amount", {"amount": eur(1_00)}, "bills:write"),
]
# Open to nobody but a person in their own session, or a program with its own credentials: their whole matrix stands beside them
# (tests/unit/compliance/identity, tests/unit/engagement/test_webhooks.py).
ELSEWHERE = ("/auth/", "/identity", "/webhook-")
IDS = [f"{method} {path}" for method, path, _body, _scope in OPERATIONS]
every_operation = pytest.mark.parametrize(("method", "path", "body", "scope"), OPERATIONS, ids=IDS)
# Objects are named in these, so a stranger must not learn whether they exist.
WITH_OBJECT = [row for row in OPERATIONS if "{" in row[1]]

Call = Callable[[Api, str, str, Any], Any]


@pytest.fixture
def call(asa: Person, asa_wallet: Wallet, bo_wallet: Wallet) -> Call:
    """Calls an operation on Åsa's objects."""

    def send(key: str, minor: int) -> str:
        asked: dict[str, Any] = {"by": asa, "party_id": asa.party_id, "source_wallet_id": asa_wallet.id, "payee": "@boek"}
        return str(transfer_send(**asked, amount=Money(minor, "EUR"), idempotency_key=key, now=clock.now()).payment.id)

    names = {"wallet": str(asa_wallet.id), "transfer": send("a", 10_00), "waiting": send("b", 40_00)}
    feed_follow(payment_id=UUID(names["transfer"]))
    names |= {"payment": names["transfer"], "seq": "1"}
    seal(now=clock.now())
    names["item"] = str(FeedItem.objects.get(party_id=asa.party_id).id)
    pot = pot_open(party_id=asa.party_id, wallet_id=asa_wallet.id, name="Holiday", idempotency_key="p", now=clock.now())
    pot_put(party_id=asa.party_id, pot_id=pot.id, amount=Money(5_00, "EUR"), idempotency_key="p", now=clock.now())
    names["pot"] = str(pot.id)
    order: dict[str, Any] = {"by": asa, "party_id": asa.party_id, "source_wallet_id": asa_wallet.id, "iban": IBAN, "name": "Land Lord"}
    waiting = payout_send(**order, amount=Money(40_00, "EUR"), idempotency_key="d", now=clock.now())
    names["payout"] = str(waiting.payment.id)
    soon = (clock.now() + timedelta(days=3)).date()
    terms = Terms(name="Rent", wallet_id=asa_wallet.id, amount=Money(20_00, "EUR"), up_to=True, first_on=soon)
    bill = bill_create(by=asa, party_id=asa.party_id, to=To(payee="@boek"), terms=terms, idempotency_key="c", now=clock.now())
    names |= {"bill": str(bill.id), "soon": soon.isoformat(), "period": f"{soon:%Y-%m}"}

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(part) for key, part in value.items()}
        return value.format(**names) if isinstance(value, str) else value

    def run(api: Api, method: str, path: str, body: Any) -> Any:
        return _sent(api, method, fill(path), fill(body))

    return run


def _sent(api: Api, method: str, path: str, body: Any) -> Any:
    return {"GET": lambda: api.get(path), "POST": lambda: api.post(path, body), "PUT": lambda: api.put(path, body)}[method]()


def test_the_table_is_complete() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    documented = {(method.upper(), path.removeprefix("/api/v1")) for path, methods in schema["paths"].items() for method in methods}
    documented = {(method, path) for method, path in documented if not path.startswith(ELSEWHERE)}
    names = {
        "{wallet}": "{wallet_id}",
        "{item}": "{item_id}",
        "{payment}": "{payment_id}",
        "{bill}": "{bill_id}",
        "{payout}": "{payout_id}",
        "{pot}": "{pot_id}",
        "{waiting}": "{transfer_id}",
        "{transfer}": "{transfer_id}",
    }
    table = set()
    for method, path, _body, _scope in OPERATIONS:
        for short, long in names.items():
            path = path.replace(short, long)
        table.add((method, path.split("?", 1)[0].replace("/top-ups/{transfer_id}", "/top-ups/{top_up_id}")))
    assert documented == table


def test_every_scope_is_used() -> None:
    assert {scope for *_row, scope in OPERATIONS} - {""} == set(SCOPES) - {WEBHOOKS_MANAGE}


@every_operation
class TestEveryOperation:
    def test_refuses_a_call_without_a_token(self, nobody: Api, call: Call, method: str, path: str, body: Any, scope: str) -> None:
        answer = call(nobody, method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_refuses_a_token_without_the_scope(
        self, partner_of_asa: Callable[..., Api], call: Call, method: str, path: str, body: Any, scope: str
    ) -> None:
        if not scope:
            return
        answer = call(partner_of_asa(*(set(SCOPES) - {scope})), method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
        assert answer.json()["required_scope"] == scope

    def test_lets_the_owner_in(self, as_asa: Api, call: Call, method: str, path: str, body: Any, scope: str, no_provider: None) -> None:
        assert call(as_asa, method, path, body).status_code in _allowed(path)

    def test_lets_a_partner_with_the_scope_in(
        self, partner_of_asa: Callable[..., Api], call: Call, method: str, path: str, body: Any, scope: str, no_provider: None
    ) -> None:
        assert call(partner_of_asa(*([scope] if scope else [])), method, path, body).status_code in _allowed(path)


@pytest.mark.parametrize(("method", "path", "body", "scope"), WITH_OBJECT, ids=[f"{row[0]} {row[1]}" for row in WITH_OBJECT])
class TestObjectsOfOthers:
    def test_are_not_found_by_another_customer(
        self, sign_up: Callable[..., Person], call: Call, method: str, path: str, body: Any, scope: str
    ) -> None:
        stranger = session_api(sign_up("eve@example.com", "Eve Stranger"))
        assert call(stranger, method, path, body).status_code == 404

    def test_are_not_found_by_staff(self, officer: Person, call: Call, method: str, path: str, body: Any, scope: str) -> None:
        assert call(session_api(officer), method, path, body).status_code == 404

    def test_are_not_found_by_a_partner_of_somebody_else(
        self, partner_itself: Callable[..., Api], sign_up: Callable[..., Person], call: Call, method: str, path: str, body: Any, scope: str
    ) -> None:
        from accounts.services import partner_create

        eve = sign_up("eve@example.com", "Eve Stranger")
        other = partner_create(name="Other", redirect_uris=[], party=eve.party, answers=eve, now=clock.now())
        assert call(bearer(token_for(other.application, None, " ".join(SCOPES))), method, path, body).status_code == 404

    def test_are_not_found_when_they_are_not_there(self, as_asa: Api, method: str, path: str, body: Any, scope: str) -> None:
        names = ("wallet", "transfer", "waiting", "item", "bill", "payout", "pot", "payment")
        place = path.format(**{name: uuid4() for name in names}, seq=1)
        answer = _sent(as_asa, method, place, body)
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"


def _allowed(path: str) -> set[int]:
    """What an allowed call may answer with: an own object of another kind is not found, money is not given away."""
    if path == "/top-ups/{transfer}":
        return {404}
    return {409} if path in ("/wallets/{wallet}/close", "/transfers/{waiting}/complete", "/payouts/{payout}/complete") else {200, 201, 202}


@pytest.fixture
def no_provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither the card provider nor the bank can be reached: top-ups and payouts start as unknown."""
    from payments import gateways
    from payments.gateways.base import GatewayTimeout
    from payments.services import top_ups

    class Silent:
        def amount_check(self, amount: Any) -> None:
            pass

        def __getattr__(self, name: str) -> Any:
            def never(*args: Any, **kwargs: Any) -> Any:
                raise GatewayTimeout("no_answer")

            return never

    monkeypatch.setattr(top_ups, "gateway_named", lambda name: Silent())
    monkeypatch.setattr(gateways, "bank_gateway", lambda: Silent())
    gateways.gateway.cache_clear()
    yield
    gateways.gateway.cache_clear()


class TestTokens:
    def test_that_are_made_up_are_refused(self, db: None) -> None:
        for api in (bearer("made-up"), bearer(""), Api(headers={"X-Session-Token": "made-up"}), Api(headers={"Authorization": "Bearer"})):
            answer = api.get("/me")
            assert answer.status_code == 401
            assert answer.json()["code"] in ("token_invalid", "session_invalid")

    def test_that_are_old_are_refused(self, partner: PartnerCreated, asa: Person) -> None:
        old = bearer(token_for(partner.application, asa, "profile:read", expired=True))
        assert old.get("/me").json()["code"] == "token_invalid"

    def test_count_in_the_header_only(self, partner: PartnerCreated, asa: Person, nobody: Api) -> None:
        token = token_for(partner.application, asa, "profile:read")
        assert nobody.get("/me", access_token=token).status_code == 401

    def test_a_browsers_cookie_is_no_token(self, asa: Person, nobody: Api) -> None:
        nobody.client.force_login(asa)
        assert nobody.get("/me").status_code == 401

    def test_of_an_ended_session_are_refused(self, as_asa: Api, asa: Person) -> None:
        from accounts.services import sessions_end_all

        assert as_asa.get("/me").status_code == 200
        sessions_end_all(person=asa)
        assert as_asa.get("/me").json()["code"] == "session_invalid"

    def test_of_somebody_deactivated_are_refused(self, as_asa: Api, asa: Person) -> None:
        Person.objects.filter(pk=asa.pk).update(is_active=False)
        assert as_asa.get("/me").status_code == 401


class TestParties:
    def test_a_member_acts_for_a_business(self, as_asa: Api, shop: Party) -> None:
        made = as_asa.post("/wallets", {"currency": "EUR"}, party=str(shop.id))
        assert made.status_code == 201
        assert [row["id"] for row in as_asa.get("/wallets", party=str(shop.id)).json()["items"]] == [made.json()["id"]]
        assert as_asa.get("/wallets").json()["items"] == []
        assert as_asa.get(f"/wallets/{made.json()['id']}").status_code == 404

    def test_a_viewer_reads_and_does_not_write(self, as_asa: Api, asa: Person, bo: Person) -> None:
        home = household_open(by=bo, name="Home", now=clock.now())
        membership_add(by=bo, party_id=home.id, person=asa, role="viewer", now=clock.now())
        assert as_asa.get("/wallets", party=str(home.id)).status_code == 200
        answer = as_asa.post("/wallets", {"currency": "EUR"}, party=str(home.id))
        assert (answer.status_code, answer.json()["code"]) == (403, "role_forbidden")

    @pytest.mark.parametrize("party", ["not-a-uuid", "00000000-0000-0000-0000-000000000000", "\x00"])
    def test_that_are_not_there_are_not_found(self, as_asa: Api, party: str) -> None:
        assert as_asa.get("/wallets", party=party).status_code == 404

    def test_of_others_are_not_found(self, as_asa: Api, bo: Person, officer: Person) -> None:
        for api in (as_asa, session_api(officer)):
            assert api.get("/wallets", party=str(bo.party_id)).status_code == 404
            assert api.post("/wallets", {"currency": "EUR"}, party=str(bo.party_id)).status_code == 404

    def test_a_partner_names_one_when_it_has_several(
        self, partner_of_asa: Callable[..., Api], partner: PartnerCreated, asa: Person, shop: Party
    ) -> None:
        from accounts.services import consent_grant

        api = partner_of_asa("wallets:read")
        consent_grant(person=asa, application=partner.application, party_id=shop.id, scopes=["wallets:read"], now=clock.now())
        assert api.get("/wallets").status_code == 200
        assert api.get("/wallets", party=str(shop.id)).status_code == 200


class TestClientCredentials:
    def test_reach_their_own_party_only(
        self, partner_itself: Callable[..., Api], bo: Person, bo_wallet: Wallet, asa_wallet: Wallet, asa: Person
    ) -> None:
        api = partner_itself()
        assert [row["id"] for row in api.get("/wallets").json()["items"]] == [str(bo_wallet.id)]
        assert api.get("/wallets", party=str(bo.party_id)).status_code == 200
        assert api.get("/wallets", party=str(asa.party_id)).status_code == 404
        assert api.get(f"/wallets/{asa_wallet.id}").status_code == 404

    def test_approve_nothing(self, partner_itself: Callable[..., Api], asa_wallet: Wallet, bo: Person) -> None:
        from tests.unit.api.conftest import wallet_with

        wallet = wallet_with(bo, 50_00)
        answer = partner_itself().post("/transfers", {"wallet_id": str(wallet.id), "payee": "@asa", "amount": eur(1)})
        assert answer.status_code == 202
        assert answer.json()["state"] == "requires_approval"

    def test_move_nothing_when_nobody_answers_for_them(self, bo: Person, bo_wallet: Wallet) -> None:
        from accounts.services import partner_create

        lonely = partner_create(name="Lonely", redirect_uris=[], party=bo.party, now=clock.now())
        api = bearer(token_for(lonely.application, None, " ".join(SCOPES)))
        assert api.get("/wallets").status_code == 200
        answer = api.post("/transfers", {"wallet_id": str(bo_wallet.id), "payee": "@asa", "amount": eur(1)})
        assert (answer.status_code, answer.json()["code"]) == (403, "person_required")


def test_every_view_is_one_of_ours() -> None:
    from hub import api_urls

    views = [getattr(getattr(pattern, "callback", None), "cls", None) for pattern in api_urls._v1]
    assert len(views) > 10
    assert all(issubclass(view, ApiView) for view in views if view is not None)
