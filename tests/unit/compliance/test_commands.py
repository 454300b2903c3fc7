"""The operator's commands of screening: contracts of docs/screening.md."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from compliance.models import SanctionsList
from core.ids import uuid7
from tests.unit.compliance.screening import row, write

pytestmark = pytest.mark.screened


def run(*words: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, the JSON lines, and what was said on standard error."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command(*words, "--json", stdout=out, stderr=err)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    return write(tmp_path / uuid7().hex, row(1, "EXAMPLE, Eve"), row(2, "MADEUP, Mallory", remarks="DOB 1970; nationality Sweden."))


@pytest.mark.django_db
class TestScreeningLoad:
    def test_prints_its_contract(self, listed: Path) -> None:
        code, (document,), _err = run("screening_load", "ofac", str(listed))
        version = document.pop("version")
        assert (code, document) == (0, {"source": "ofac", "entries": 2, "names": 2, "added": 2, "removed": 0, "changed": 0})
        assert version == SanctionsList.objects.get().version

    @pytest.mark.parametrize("source", ["ofac", "ofac-consolidated", "un", "eu", "uk", "mars"])
    def test_refuses_what_is_not_that_list(self, tmp_path: Path, source: str) -> None:
        (tmp_path / "sdn.csv").write_text("not,a,list\n")
        code, (document,), err = run("screening_load", source, str(tmp_path))
        assert code == 2
        assert document["error"]["code"]
        assert "Nothing was loaded" in err
        assert not SanctionsList.objects.exists()

    def test_says_the_line(self, listed: Path) -> None:
        path = listed / "sdn.csv"
        path.write_bytes(path.read_bytes()[:-30])
        code, (document,), _err = run("screening_load", "ofac", str(listed))
        assert (code, document["error"]["line"], document["error"]["file"]) == (2, 2, "sdn.csv")


@pytest.mark.django_db
class TestScreen:
    @pytest.fixture(autouse=True)
    def _listed(self, listed: Path) -> None:
        run("screening_load", "ofac", str(listed))

    def test_one_name(self) -> None:
        code, (document,), _err = run("screen", "--name", "Malory Madeup", "--birth-year", "1970", "--country", "se", "--schema", "Person")
        (match,) = document["matches"]
        assert (code, document["id"], match["source"], match["entry_id"], match["name"]) == (0, None, "ofac", "2", "MADEUP, Mallory")
        assert 0.8 < match["score"] <= 1
        assert {part["kind"] for part in match["parts"]} == {"word", "birth_year", "country"}

    def test_nobody(self) -> None:
        assert run("screen", "--name", "Anna Lind")[1] == [{"id": None, "matches": []}]

    def test_a_batch_answers_in_order(self, tmp_path: Path) -> None:
        file = tmp_path / "names.csv"
        file.write_text(
            'id,name,birth_year,country,schema\na,Anna Lind,,,\nb,Mallory Madeup,1970,SE,Person\nc,"Example, Eve",,,LegalEntity\n'
        )
        code, lines, _err = run("screen", "--batch", str(file))
        assert (code, [line["id"] for line in lines]) == (0, ["a", "b", "c"])
        assert [len(line["matches"]) for line in lines] == [0, 1, 1]

    @pytest.mark.parametrize(
        "text",
        [
            "", "id\n1\n", "id,name,birth_year\n1,A,soon\n",
            "id,name\n1,\n", "id,name\n1,A,B\n", "id,name\n1\n", "id,name,birth_year\n1,A,10000\n",
            "id,name,country\n1,A,Sweden\n", "id,name,schema\n1,A,Dragon\n", 'id,name\n1,"A\n', "id,name\n1,\xe5\n",
        ],
    )  # fmt: skip
    def test_bad_input_is_refused_before_anything_is_said(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "names.csv"
        file.write_bytes(text.encode("latin-1"))
        code, lines, err = run("screen", "--batch", str(file))
        assert (code, [line["error"]["code"] for line in lines]) == (2, ["input_invalid"])
        assert err.strip()

    @pytest.mark.parametrize(
        "words", [["--name", " "], ["--name", "A", "--birth-year", "x"], ["--name", "A", "--country", "1"], ["--batch", "/nowhere"]]
    )
    def test_bad_words(self, words: list[str]) -> None:
        assert run("screen", *words)[0] == 2


def test_pairs_need_no_database(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text('name1,name2,schema\nMallory Madeup,"MADEUP, Malory",Person\nMallory,Eve,Person\nNowhere Ltd,NOWHERE LIMITED,Company\n')
    code, lines, _err = run("screen", "--pairs", str(file))
    assert code == 0
    assert [line["score"] > 0.8 for line in lines] == [True, False, True]
    assert all(set(line) == {"score"} for line in lines)
