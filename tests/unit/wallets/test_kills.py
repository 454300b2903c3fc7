from __future__ import annotations

from tests.soak import ledger_kills


def test_twenty_kills_lose_double_and_halve_nothing():
    result = ledger_kills.soak(kills=20, seed=20_261_122)
    assert result.problems == [], result.show()
    assert result.transfers > 100
    assert set(result.kills) == {"client", "backend", "server"}
