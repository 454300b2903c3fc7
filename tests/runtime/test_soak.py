"""The short form of `make soak`: a few kills under load; the long one is for a night."""

from __future__ import annotations

import pytest

from tests.soak.__main__ import soak


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_when_programs_are_killed() -> None:
    result = soak(kills=5, seed=20260301, bills=5, say=False)
    assert result.problems == [], result.show()
    assert sum(result.kills.values()) == 5
    assert result.acknowledged >= 5
    assert set(result.refused) <= {"insufficient_funds"}
