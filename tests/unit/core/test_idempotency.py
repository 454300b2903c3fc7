from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from core import clock, idempotency
from core.idempotency import (
    Answer,
    IdempotencyConflict,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    IdempotencyRunning,
    begin,
    finish,
    key_check,
    release,
    request_hash,
)
from core.models import IdempotencyKey
from tests.unit.core.threads import together

ASKED = request_hash("POST", "/transfers", {"amount": 1250})


class TestKeyCheck:
    @pytest.mark.parametrize("key", [None, "", "  "])
    def test_needs_one(self, key: str | None) -> None:
        with pytest.raises(IdempotencyKeyMissing):
            key_check(key)

    @pytest.mark.parametrize("key", ["a b", "å", "a\nb", "a" * 256, "a\x7f"])
    def test_refuses_odd_ones(self, key: str) -> None:
        with pytest.raises(IdempotencyKeyInvalid):
            key_check(key)

    def test_accepts_what_clients_make(self) -> None:
        assert key_check(" 0193f2c1-7d9e-7c7e-9e3f-5c0a5d4d5a11 ") == "0193f2c1-7d9e-7c7e-9e3f-5c0a5d4d5a11"
        assert key_check("a" * 255)


class TestRequestHash:
    def test_does_not_depend_on_the_order_of_fields(self) -> None:
        assert request_hash({"a": 1, "b": [2]}) == request_hash({"b": [2], "a": 1})

    def test_depends_on_everything_else(self) -> None:
        hashes = [request_hash(*parts) for parts in (["POST", "/a", {}], ["POST", "/b", {}], ["PUT", "/a", {}], ["POST", "/a", {"x": 1}])]
        assert len(set(hashes)) == 4
        assert request_hash({"a": "1"}) != request_hash({"a": 1})


class TestBegin:
    def test_replays_the_first_answer(self, db: None) -> None:
        row, first = begin(client="c", key="k", asked=ASKED)
        assert first is None
        finish(row, Answer(201, {"id": "x"}))
        assert begin(client="c", key="k", asked=ASKED)[1] == Answer(201, {"id": "x"})

    def test_replays_an_answer_without_a_body_and_a_refusal(self, db: None) -> None:
        for key, answer in (("a", Answer(204, None)), ("b", Answer(409, {"code": "insufficient_funds"}))):
            finish(begin(client="c", key=key, asked=ASKED)[0], answer)
            assert begin(client="c", key=key, asked=ASKED)[1] == answer

    def test_keeps_the_answer_encrypted(self, db: None) -> None:
        finish(begin(client="c", key="k", asked=ASKED)[0], Answer(201, {"name": "Asa"}))
        with connection.cursor() as cursor:
            cursor.execute("SELECT answer FROM core_idempotency_key")
            assert b"Asa" not in bytes(cursor.fetchone()[0])

    def test_refuses_the_key_for_another_request(self, db: None) -> None:
        row, _ = begin(client="c", key="k", asked=ASKED)
        for state in ("running", "finished"):
            with pytest.raises(IdempotencyConflict) as caught:
                begin(client="c", key="k", asked=request_hash("other"))
            assert caught.value.http_status == 409, state
            finish(row, Answer(201, {}))

    def test_tells_a_repeat_to_wait_while_the_first_runs(self, db: None) -> None:
        begin(client="c", key="k", asked=ASKED)
        with pytest.raises(IdempotencyRunning) as caught:
            begin(client="c", key="k", asked=ASKED)
        assert caught.value.http_status == 409
        assert 1 <= caught.value.extra["retry_after"] <= 60

    def test_keeps_clients_apart(self, db: None) -> None:
        begin(client="a", key="k", asked=ASKED)
        assert begin(client="b", key="k", asked=request_hash("other"))[1] is None

    def test_is_free_again_after_a_crash_and_the_lock(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        begin(client="c", key="k", asked=ASKED)
        later = clock.real() + idempotency.LOCK + timedelta(seconds=1)
        monkeypatch.setattr(clock, "real", lambda: later)
        row, first = begin(client="c", key="k", asked=ASKED)
        assert first is None
        with pytest.raises(IdempotencyRunning):
            begin(client="c", key="k", asked=ASKED)
        finish(row, Answer(201, {}))
        assert begin(client="c", key="k", asked=ASKED)[1] == Answer(201, {})

    def test_is_not_freed_by_moving_the_hubs_time(self, db: None) -> None:
        begin(client="c", key="k", asked=ASKED)
        clock.offset_set(timedelta(days=3))
        with pytest.raises(IdempotencyRunning):
            begin(client="c", key="k", asked=ASKED)

    def test_lets_one_of_many_in(self, fresh_db: str) -> None:
        def ask() -> str:
            try:
                return "in" if begin(client="c", key="k", asked=ASKED)[1] is None else "replayed"
            except IdempotencyRunning:
                return "running"

        assert sorted(together(4, ask)) == ["in", "running", "running", "running"]


class TestFinish:
    def test_after_a_fault_frees_the_key(self, db: None) -> None:
        row, _ = begin(client="c", key="k", asked=ASKED)
        finish(row, Answer(503, {}))
        assert not IdempotencyKey.objects.exists()

    def test_release_frees_the_key(self, db: None) -> None:
        release(begin(client="c", key="k", asked=ASKED)[0])
        assert begin(client="c", key="k", asked=request_hash("other"))[1] is None
