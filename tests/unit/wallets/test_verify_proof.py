"""docs/verify_proof.py as a person runs it: a program of its own, without Django."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.money import Money
from tests.unit.wallets.test_seals import head
from wallets import ledger
from wallets.seals import selectors, services

SCRIPT = Path(__file__).parents[3] / "docs" / "verify_proof.py"


@pytest.fixture
def proof(book, now):
    """Of a transfer with everything in it, under the second of three seals."""
    payer, payee = book.account(100_000), book.account()
    for _ in range(300):
        book.post(payer, payee, 1)
    services.seal(now=now)
    done = ledger.post(debit=payer, credit=payee, amount=Money(12_50, "EUR"), key="p", now=now, effective_at=now, meta={"payment": "0199"})
    book.post(payer, payee, 1)
    services.seal(now=now)
    found = selectors.proof_of(done.id)
    book.post(payer, payee, 1)
    services.seal(now=now)
    return found


@pytest.fixture
def run(tmp_path):
    def run(proof, *arguments):
        """Exit code, what was said, and what was complained of; a document among the arguments becomes a file."""
        files = []
        for number, argument in enumerate([proof, *arguments]):
            if not isinstance(argument, str):
                path = tmp_path / f"{number}.json"
                path.write_text(json.dumps(argument))
                argument = str(path)
            files.append(argument)
        # Isolated: no project on the path, nothing of our environment.
        done = subprocess.run([sys.executable, "-I", str(SCRIPT), *files], capture_output=True, text=True, check=False, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_sound_proof(run, proof):
    code, said, _ = run(proof)
    assert code == 0
    assert "The proof holds." in said
    assert "1250 EUR" in said
    assert proof["seal"]["chain"] in said


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("transfer", "amount"), 12_51),
        (("transfer", "credit"), 1),
        (("transfer", "currency"), "SEK"),
        (("transfer", "kind"), "reversal"),
        (("transfer", "origin"), 1),
        (("transfer", "created_at"), "2026-03-11T12:00:00.000001Z"),
        (("transfer", "effective_at"), None),
        (("transfer", "meta"), '{"payment": "0198"}'),
        (("transfer", "meta_sha256"), None),
        (("transfer", "request_hash"), "00" * 8),
        (("transfer", "key"), "00000000-0000-0000-0000-000000000000"),
        (("leaf", "index"), 300),
        (("leaf", "index"), -1),
        (("leaf", "index"), 10**18),
        (("leaf", "hash"), "00" * 32),
        (("path",), []),
        (("seal", "size"), 300),
        (("seal", "root"), "00" * 32),
        (("seal", "previous"), "00" * 32),
        (("seal", "chain"), "00" * 32),
        (("seal", "sealed_at"), "2027-03-11T12:00:00.000000Z"),
        (("seal", "number"), 3),
        (("seal", "last"), 3),
    ],
)
def test_a_changed_proof(run, proof, where, value):
    changed = copy.deepcopy(proof)
    place = changed
    for name in where[:-1]:
        place = place[name]
    assert place[where[-1]] != value
    place[where[-1]] = value
    code, said, _ = run(changed)
    assert code == 1
    assert "does NOT hold" in said


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "3", "[" * 100_000, '{"format": "hub-ledger-proof/1"}', '{"format": "hub-ledger-proof/1", "transfer": 3}'],
)
def test_something_else(run, tmp_path, text):
    path = tmp_path / "file"
    path.write_text(text)
    code, said, complained = run(str(path))
    assert (code, said) == (2, "")
    assert "Traceback" not in complained


@pytest.mark.parametrize(("where", "value"), [("amount", "12"), ("amount", 2**70), ("key", 5), ("created_at", "yesterday"), ("origin", {})])
def test_a_value_of_the_wrong_kind(run, proof, where, value):
    proof["transfer"][where] = value
    assert run(proof)[0] == 2


def test_a_file_that_is_not_there(run):
    assert run("nowhere.json")[0] == 2


class TestPublished:
    def test_the_same_chain(self, run, proof):
        head = selectors.seal_document(selectors.seal_get(2))
        assert run(proof, "--head", head)[0] == 0
        assert run(proof, "--head", head["chain"])[0] == 0

    def test_another_chain(self, run, proof):
        code, said, _ = run(proof, "--head", "ab" * 32)
        assert code == 1
        assert "different ledgers" in said

    def test_a_newer_head_cannot_be_compared_alone(self, run, proof):
        code, _, complained = run(proof, "--head", selectors.seal_document(head()))
        assert code == 2
        assert "--seals" in complained

    def test_the_list_leads_from_the_proof_to_the_newest(self, run, proof):
        listed = {"items": selectors.seal_documents(limit=10)}
        code, said, _ = run(proof, "--seals", listed)
        assert code == 0
        assert "1 newer seals" in said

    @pytest.mark.parametrize("name", ["root", "previous", "size"])
    def test_a_list_that_was_bent(self, run, proof, name):
        listed = selectors.seal_documents(limit=10)
        listed[0][name] = 1 if name == "size" else "00" * 32
        assert run(proof, "--seals", listed)[0] == 1

    def test_a_list_without_the_proof_s_seal(self, run, proof):
        assert run(proof, "--seals", selectors.seal_documents(limit=1))[0] == 2
