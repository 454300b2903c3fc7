from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import pytest

from core import crypto, privacy
from core.models import AuditEntry, DataKey


@pytest.fixture(autouse=True)
def empty_register(monkeypatch: pytest.MonkeyPatch) -> dict[str, privacy.Holding]:
    holdings: dict[str, privacy.Holding] = {}
    monkeypatch.setattr(privacy, "_holdings", holdings)
    return holdings


def register(label: str, erased: list[tuple[str, UUID, datetime]]) -> None:
    privacy.register(
        label,
        export=lambda party_id: {"of": str(party_id), "from": label},
        erase=lambda party_id, now: erased.append((label, party_id, now)),
        retention="as long as the account is open",
        fields=(f"{label}.name",),
    )


class TestExport:
    def test_asks_every_holding(self) -> None:
        party = uuid4()
        for label in ("wallets", "accounts"):
            register(label, [])
        assert privacy.export(party) == {
            "accounts": {"of": str(party), "from": "accounts"},
            "wallets": {"of": str(party), "from": "wallets"},
        }
        assert [(holding.label, holding.fields) for holding in privacy.holdings()] == [
            ("accounts", ("accounts.name",)),
            ("wallets", ("wallets.name",)),
        ]


class TestErase:
    def test_asks_every_holding_then_destroys_the_key_and_says_so(self, db: None, now: datetime) -> None:
        party, erased = uuid4(), list[tuple[str, UUID, datetime]]()
        sealed = crypto.seal("text", context="x", owner=party)
        for label in ("wallets", "accounts"):
            register(label, erased)
        assert privacy.erase(party, now=now) == ["accounts", "wallets"]
        assert erased == [("accounts", party, now), ("wallets", party, now)]
        with pytest.raises(crypto.KeyDestroyed):
            crypto.unseal(sealed, context="x", owner=party)
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.party_id) == ("privacy.erased", party)

    def test_is_all_or_nothing(self, fresh_db: str, now: datetime) -> None:
        party = uuid4()
        crypto.data_key(party, create=True)

        def refuse(party_id: UUID, now: datetime) -> None:
            raise ZeroDivisionError

        privacy.register("z", export=lambda party_id: {}, erase=refuse, retention="")
        with pytest.raises(ZeroDivisionError):
            privacy.erase(party, now=now)
        assert DataKey.objects.get(owner_id=party).wrapped is not None
        assert not AuditEntry.objects.exists()
