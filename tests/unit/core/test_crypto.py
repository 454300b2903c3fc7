from __future__ import annotations

import base64
import secrets
import threading
from datetime import datetime
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from core import crypto
from core.crypto import SYSTEM_OWNER, BlindIndexField, CryptoError, EncryptedTextField, KeyDestroyed, MasterRing
from core.models import DataKey

texts = st.text(st.characters(exclude_categories=["Cs"]))


class Letter(models.Model):
    """A table of this test: a row with an owner, two encrypted columns and an index of one of them."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    party_id = models.UUIDField()
    body = EncryptedTextField()
    reply = EncryptedTextField()
    address = EncryptedTextField(owner="party_id")
    address_index = BlindIndexField(source="address")

    objects: ClassVar[models.Manager[Letter]] = models.Manager()

    class Meta:
        app_label = "core_tests"
        db_table = "core_tests_letter"


@pytest.fixture
def letters(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE core_tests_letter (id uuid PRIMARY KEY, party_id uuid NOT NULL,"
            " body bytea NOT NULL, reply bytea NOT NULL, address bytea NOT NULL, address_index bytea)"
        )


def stored(letter: Letter, column: str = "body") -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM core_tests_letter WHERE id = %s", [letter.id])
        return bytes(cursor.fetchone()[0])


def ring_text(*names: str) -> str:
    return ",".join(f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in names)


class TestMasterRing:
    def test_encrypts_with_the_first_and_opens_with_all(self) -> None:
        ring = MasterRing.parse(f" {ring_text('b', 'a')} ,")
        assert ring.current == "b"
        assert set(ring.keys) == {"a", "b"}

    def test_reads_url_safe_base64(self) -> None:
        key = b"\xff" * 32
        assert MasterRing.parse("1:" + base64.urlsafe_b64encode(key).decode()).keys == {"1": key}

    @pytest.mark.parametrize("text", ["", " , ", "abc", "1:", ":" + "A" * 43 + "=", "1:AAAA", "1:!!!!", "1:" + "A" * 100])
    def test_refuses_another_form(self, text: str) -> None:
        with pytest.raises(ImproperlyConfigured):
            MasterRing.parse(text)

    def test_refuses_an_id_twice(self) -> None:
        with pytest.raises(ImproperlyConfigured):
            MasterRing.parse(f"{ring_text('1')},{ring_text('1')}")


class TestEncryptedField:
    def test_is_text_on_the_instance_and_ciphertext_in_the_table(self, letters: None) -> None:
        letter = Letter.objects.create(party_id=uuid4(), body="Hej Åsa, سلام")
        assert letter.body == "Hej Åsa, سلام"
        assert Letter.objects.get().body == "Hej Åsa, سلام"
        assert b"Hej" not in stored(letter)

    @examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=texts)
    def test_returns_any_text(self, letters: None, text: str) -> None:
        letter = Letter.objects.create(party_id=uuid4(), body=text)
        assert Letter.objects.get(id=letter.id).body == text

    def test_encrypts_the_same_text_differently_each_time(self, letters: None) -> None:
        party = uuid4()
        first, second = (Letter.objects.create(party_id=party, body="same") for _ in range(2))
        assert stored(first) != stored(second)

    def test_keeps_the_ciphertext_of_what_was_not_touched(self, letters: None) -> None:
        letter = Letter.objects.create(party_id=uuid4(), body="one", reply="two")
        before = stored(letter), stored(letter, "reply")
        again = Letter.objects.get()
        again.reply = "three"
        again.save()
        assert stored(letter) == before[0]
        assert stored(letter, "reply") != before[1]

    def test_of_nothing_is_nothing_and_makes_no_key(self, letters: None) -> None:
        letter = Letter.objects.create(party_id=uuid4(), body="")
        assert stored(letter) == b""
        assert Letter.objects.get().body == ""
        assert not DataKey.objects.exists()

    def test_opens_when_deferred(self, letters: None) -> None:
        Letter.objects.create(party_id=uuid4(), body="later")
        assert Letter.objects.defer("body").get().body == "later"
        assert Letter.objects.only("id").get().body == "later"

    def test_opens_after_refresh(self, letters: None) -> None:
        letter = Letter.objects.create(party_id=uuid4(), body="one")
        letter.body = "unsaved"
        letter.refresh_from_db()
        assert letter.body == "one"

    @pytest.mark.parametrize("target", ["row", "column", "party"])
    def test_pasted_elsewhere_does_not_open(self, letters: None, target: str) -> None:
        party = uuid4()
        letter = Letter.objects.create(party_id=party, body="mine")
        other = Letter.objects.create(party_id=uuid4() if target == "party" else party, body="other")
        column = "reply" if target == "column" else "body"
        row = letter if target == "column" else other
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE core_tests_letter SET {column} = %s WHERE id = %s", [stored(letter), row.id])
        with pytest.raises(CryptoError):
            getattr(Letter.objects.get(id=row.id), column)

    def test_altered_does_not_open(self, letters: None) -> None:
        letter = Letter.objects.create(party_id=uuid4(), body="mine")
        whole = stored(letter)
        for broken in (whole[:-1], whole[:5], whole[:-1] + bytes([whole[-1] ^ 1]), b"\x02" + whole[1:]):
            with connection.cursor() as cursor:
                cursor.execute("UPDATE core_tests_letter SET body = %s", [broken])
            with pytest.raises(CryptoError):
                _ = Letter.objects.get().body

    def test_refuses_what_does_not_know_the_row(self, letters: None) -> None:
        letter = Letter.objects.create(party_id=uuid4(), body="mine")
        for bypass in (
            lambda: Letter.objects.update(body="theirs"),
            lambda: Letter.objects.bulk_update([letter], ["body"]),
            lambda: Letter.objects.filter(body="mine").exists(),
        ):
            with pytest.raises(TypeError), transaction.atomic():
                bypass()
        assert Letter.objects.get().body == "mine"

    def test_can_be_emptied_by_an_update(self, letters: None) -> None:
        Letter.objects.create(party_id=uuid4(), body="mine")
        Letter.objects.update(body=b"")
        assert Letter.objects.get().body == ""

    def test_goes_through_bulk_create(self, letters: None) -> None:
        Letter.objects.bulk_create([Letter(party_id=uuid4(), body=text) for text in ("a", "b")])
        assert sorted(letter.body for letter in Letter.objects.all()) == ["a", "b"]

    def test_needs_an_owner(self, letters: None) -> None:
        with pytest.raises(CryptoError, match="owner"):
            Letter(body="whose?").save()

    def test_finds_its_owner_along_dots(self) -> None:
        field = EncryptedTextField(owner="wallet.party_id")
        owner = uuid4()
        assert field._owner_of(SimpleNamespace(wallet=SimpleNamespace(party_id=owner))) == owner
        assert EncryptedTextField(owner=None)._owner_of(object()) == SYSTEM_OWNER

    def test_is_the_same_in_a_migration(self) -> None:
        for field in (EncryptedTextField(owner="id", max_length=80), BlindIndexField(source="body")):
            _name, path, args, kwargs = field.deconstruct()
            again = type(field)(*args, **kwargs)
            assert path == f"core.crypto.{type(field).__name__}"
            assert again.deconstruct() == field.deconstruct()


class TestDataKey:
    def test_is_read_once_for_many_fields(self, fresh_db: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        owner = uuid4()
        key = crypto.data_key(owner, create=True)
        crypto.cache_clear()
        with django_assert_num_queries(1):
            assert crypto.data_key(owner) == key == crypto.data_key(owner, create=True)

    def test_of_a_list_is_read_in_one_query(self, fresh_db: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        owners = {uuid4() for _ in range(20)}
        keys = {owner: crypto.data_key(owner, create=True) for owner in owners}
        crypto.cache_clear()
        with django_assert_num_queries(1):
            crypto.data_keys_warm(owners | {uuid4()})
            assert {owner: crypto.data_key(owner) for owner in owners} == keys
        with django_assert_num_queries(0):
            crypto.data_keys_warm(owners)

    def test_that_was_never_made_is_not_made_by_reading(self, db: None) -> None:
        with pytest.raises(KeyDestroyed):
            crypto.data_key(uuid4())
        assert not DataKey.objects.exists()

    def test_of_a_rolled_back_row_is_not_remembered(self, fresh_db: str) -> None:
        owner = uuid4()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            lost = crypto.data_key(owner, create=True)
            assert crypto.data_key(owner) == lost
            raise ZeroDivisionError
        with pytest.raises(KeyDestroyed):
            crypto.data_key(owner)
        kept = crypto.data_key(owner, create=True)
        crypto.cache_clear()
        assert crypto.data_key(owner) == kept != lost

    def test_of_a_rolled_back_savepoint_is_not_remembered(self, fresh_db: str) -> None:
        owner = uuid4()
        with transaction.atomic():
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                crypto.data_key(owner, create=True)
                raise ZeroDivisionError
            kept = crypto.data_key(owner, create=True)
        crypto.cache_clear()
        assert crypto.data_key(owner) == kept

    def test_is_one_for_all_who_make_it_at_once(self, fresh_db: str) -> None:
        owner, start, found = uuid4(), threading.Barrier(4), []

        def make() -> None:
            start.wait()
            with transaction.atomic():
                found.append(crypto.data_key(owner, create=True))
            connection.close()

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert len(set(found)) == 1

    def test_wrapped_for_one_party_does_not_open_for_another(self, db: None) -> None:
        first, second = uuid4(), uuid4()
        crypto.data_key(first, create=True)
        DataKey.objects.create(owner_id=second, master_id=crypto.ring().current, wrapped=DataKey.objects.get(owner_id=first).wrapped)
        with pytest.raises(CryptoError):
            crypto.data_key(second)

    def test_is_never_in_the_table_as_it_is(self, db: None) -> None:
        owner = uuid4()
        assert crypto.data_key(owner, create=True) not in bytes(DataKey.objects.get().wrapped or b"")


class TestDestroy:
    def test_makes_every_field_empty_for_good(self, letters: None, now: datetime) -> None:
        letter, other = (Letter.objects.create(party_id=uuid4(), body="text") for _ in range(2))
        crypto.data_key_destroy(letter.party_id, now=now)
        assert Letter.objects.get(id=letter.id).body == ""
        assert Letter.objects.get(id=other.id).body == "text"
        row = DataKey.objects.get(owner_id=letter.party_id)
        assert (row.wrapped, row.destroyed_at) == (None, now)

    def test_lets_nothing_be_written_afterwards(self, letters: None, now: datetime) -> None:
        with_key, without_key = uuid4(), uuid4()
        crypto.data_key(with_key, create=True)
        for party in (with_key, without_key):
            crypto.data_key_destroy(party, now=now)
            with pytest.raises(KeyDestroyed), transaction.atomic():
                Letter.objects.create(party_id=party, body="too late")

    def test_twice_keeps_the_first_moment(self, db: None, now: datetime) -> None:
        owner = uuid4()
        crypto.data_key_destroy(owner, now=now)
        crypto.data_key_destroy(owner, now=now.replace(year=2030))
        assert DataKey.objects.get(owner_id=owner).destroyed_at == now

    def test_rolled_back_changes_nothing(self, fresh_db: str, now: datetime) -> None:
        owner = uuid4()
        key = crypto.data_key(owner, create=True)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            crypto.data_key_destroy(owner, now=now)
            with pytest.raises(KeyDestroyed):
                crypto.data_key(owner)
            raise ZeroDivisionError
        assert crypto.data_key(owner) == key

    def test_is_forgotten_by_every_thread_at_the_commit(self, fresh_db: str, now: datetime) -> None:
        owner = uuid4()
        crypto.data_key(owner, create=True)

        def read() -> None:
            crypto.data_key(owner)
            connection.close()

        with transaction.atomic():
            crypto.data_key_destroy(owner, now=now)
            thread = threading.Thread(target=read)  # still sees the key and remembers it
            thread.start()
            thread.join()
        with pytest.raises(KeyDestroyed):
            crypto.data_key(owner)


class TestRewrap:
    def test_moves_every_key_to_the_current_master(self, letters: None, settings: Settings) -> None:
        settings.HUB_MASTER_KEYS = old = ring_text("old")
        letter = Letter.objects.create(party_id=uuid4(), body="kept")
        settings.HUB_MASTER_KEYS = both = f"{ring_text('new')},{old}"
        for _ in range(3):
            Letter.objects.create(party_id=uuid4(), body="x")
        crypto.cache_clear()
        assert Letter.objects.get(id=letter.id).body == "kept"
        assert crypto.data_keys_rewrap(batch=1) == 1
        assert crypto.data_keys_rewrap() == 0
        settings.HUB_MASTER_KEYS = both.split(",")[0]
        crypto.cache_clear()
        assert Letter.objects.get(id=letter.id).body == "kept"

    def test_leaves_erased_parties_erased(self, db: None, settings: Settings, now: datetime) -> None:
        settings.HUB_MASTER_KEYS = old = ring_text("old")
        owner = uuid4()
        crypto.data_key(owner, create=True)
        crypto.data_key_destroy(owner, now=now)
        settings.HUB_MASTER_KEYS = f"{ring_text('new')},{old}"
        assert crypto.data_keys_rewrap() == 0
        with pytest.raises(KeyDestroyed):
            crypto.data_key(owner)

    def test_a_missing_master_says_its_name(self, db: None, settings: Settings) -> None:
        settings.HUB_MASTER_KEYS = ring_text("lost")
        owner = uuid4()
        crypto.data_key(owner, create=True)
        crypto.cache_clear()
        settings.HUB_MASTER_KEYS = ring_text("other")
        with pytest.raises(CryptoError, match="lost"):
            crypto.data_key(owner)


class TestSeal:
    @examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=texts)
    def test_opens_any_text(self, db: None, text: str) -> None:
        assert crypto.unseal(crypto.seal(text, context="here"), context="here") == text

    def test_does_not_open_elsewhere(self, db: None) -> None:
        sealed = crypto.seal("text", context="here")
        with pytest.raises(CryptoError):
            crypto.unseal(sealed, context="there")
        crypto.data_key(owner := uuid4(), create=True)
        with pytest.raises(CryptoError):
            crypto.unseal(sealed, context="here", owner=owner)


class TestBlindIndex:
    @pytest.mark.parametrize(
        ("one", "other"), [("Åsa", " åsa "), ("STRASSE", "straße"), ("Ａｓａ", "asa"), ("A\u030asa", "åsa"), ("ﬁ", "FI")]
    )
    def test_is_equal_for_spellings_of_one_identifier(self, one: str, other: str) -> None:
        assert crypto.blind_index("a.b.c", one) == crypto.blind_index("a.b.c", other)

    def test_differs_by_column_and_by_secret(self, settings: Settings) -> None:
        first = crypto.blind_index("a.b.c", "asa")
        assert first != crypto.blind_index("a.b.d", "asa")
        settings.HUB_INDEX_KEY = "another"
        assert first != crypto.blind_index("a.b.c", "asa")

    @given(texts)
    def test_folding_twice_changes_nothing(self, text: str) -> None:
        assert crypto.fold(crypto.fold(text)) == crypto.fold(text)

    def test_finds_the_row(self, letters: None) -> None:
        letter = Letter.objects.create(party_id=uuid4(), address="Asa@Example.test")
        label = "core_tests.letter.address"
        assert Letter.objects.get(address_index=crypto.blind_index(label, "asa@example.test")).id == letter.id

    def test_follows_a_change_and_keeps_what_was_not_read(self, letters: None) -> None:
        Letter.objects.create(party_id=uuid4(), address="asa")
        letter = Letter.objects.get()
        before = letter.address_index
        letter.body = "other column"
        letter.save()
        assert Letter.objects.get().address_index == before
        letter.address = "bo"
        letter.save()
        assert Letter.objects.get().address_index == crypto.blind_index("core_tests.letter.address", "bo") != before

    def test_of_nothing_is_null(self, letters: None) -> None:
        assert Letter.objects.create(party_id=uuid4()).address_index is None
        assert Letter.objects.get().address_index is None


def test_the_cache_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "_CACHE_MAX", 3)
    held: dict[UUID, Any] = crypto._cache
    for _ in range(10):
        crypto._remember(uuid4(), b"k" * 32)
    assert len(held) <= 3
