"""Sanctions lists as their publishers give them, whole, broken and hostile."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from formats.lists import ListRefused, NameKind, ofac_read, un_read
from formats.lists.countries import country_code

N = "-0- "


def line(number: str, name: str, kind: str = "individual", remarks: str = N) -> str:
    quoted = [f'"{value}"' if value != N else N for value in (name, kind, "TEST")]
    return ",".join([number, *quoted, *[N] * 7, f'"{remarks}"' if remarks != N else N])


def folder(path: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.replace("\n", "\r\n").encode()
        (path / f"{name}.csv").write_bytes(data)
    return path


SDN = f"""{line("7", "MADEUP, Mallory", remarks="DOB 01 Apr 1970; POB Umeå, Sweden; nationality Iran; a.k.a. 'EM'; alt. DOB 1971 to 1973.")}
{line("8", "NOWHERE TRADING LTD", N)}
{line("9", "IMAGINARY VOYAGER", "vessel")}
\x1a
"""
ALT = f'7,1,"aka","MADE UP, Malory",{N}\n8,2,"fka","NIRGENDWO HANDEL",{N}\n'
ADD = f'8,1,"1 Example Street","Nowhere","Russian Federation",{N}\n'


class TestOfac:
    def test_reads_names_years_and_countries(self, tmp_path: Path) -> None:
        person, company, ship = ofac_read(folder(tmp_path, sdn=SDN, alt=ALT, add=ADD))
        assert (person.entry_id, person.schema, person.programme) == ("7", "Person", "TEST")
        assert [(name.text, name.kind) for name in person.names] == [
            ("MADEUP, Mallory", NameKind.PRIMARY),
            ("EM", NameKind.WEAK),
            ("MADE UP, Malory", NameKind.ALIAS),
        ]
        assert person.birth_years == [1970, 1971, 1972, 1973]
        assert sorted(person.countries) == ["IR", "SE"]
        assert (company.schema, company.countries, len(company.names)) == ("Organization", ["RU"], 2)
        assert ship.schema == "Vessel"

    def test_reads_the_main_file_alone(self, tmp_path: Path) -> None:
        assert len(ofac_read(folder(tmp_path, sdn=SDN))) == 3

    def test_reads_the_consolidated_names_of_files(self, tmp_path: Path) -> None:
        assert len(ofac_read(folder(tmp_path, cons_prim=SDN, cons_alt=ALT, cons_add=ADD))[0].names) == 3

    def test_has_another_digest_when_a_name_changes(self, tmp_path: Path) -> None:
        before = ofac_read(folder(tmp_path, sdn=SDN))
        after = ofac_read(folder(tmp_path, sdn=SDN.replace("NOWHERE", "EREHWON")))
        assert [one.digest() == other.digest() for one, other in zip(before, after, strict=True)] == [True, False, True]

    @pytest.mark.parametrize(
        ("files", "code", "at"),
        [
            ({"sdn": SDN[: SDN.index("NOWHERE") + 3]}, "cut", 2),
            ({"sdn": SDN.split(f",{N},{N}")[0]}, "columns", 1),
            ({"sdn": SDN.replace("7,", "x,", 1)}, "format", 1),
            ({"sdn": SDN.replace('"vessel"', '"dragon"')}, "format", 3),
            ({"sdn": "name,born\nA,1\n"}, "columns", 1),
            ({"sdn": "<xml/>"}, "format", 1),
            ({"sdn": '{"a": 1}'}, "format", 1),
            ({"sdn": SDN.encode("utf-16")}, "format", 1),
            ({"sdn": b"PK\x03\x04"}, "format", 1),
            ({"sdn": ""}, "empty", 0),
            ({"sdn": "\x1a"}, "empty", 0),
            ({"sdn": SDN + SDN}, "doubled", 4),
            ({"sdn": SDN.split("\n")[0] + "\n", "alt": ALT}, "incomplete", 2),
            ({"sdn": SDN, "alt": ALT[:-20]}, "cut", 2),
            ({"sdn": SDN, "add": ALT}, "columns", 1),
            ({"other": SDN}, "not_found", 0),
        ],
    )
    def test_is_refused_whole_with_line_and_reason(self, tmp_path: Path, files: dict[str, str], code: str, at: int) -> None:
        if "sdn" in files and files["sdn"] == SDN + SDN:
            files = {"sdn": SDN.replace("\x1a\n", "") + SDN}
        with pytest.raises(ListRefused) as refused:
            ofac_read(folder(tmp_path, **files))
        assert (refused.value.code, refused.value.line) == (code, at), str(refused.value)
        assert refused.value.message

    def test_a_line_without_end_does_not_fill_the_memory(self, tmp_path: Path) -> None:
        with pytest.raises(ListRefused):
            ofac_read(folder(tmp_path, sdn=b"x" * 5_000_000))

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ListRefused):
            ofac_read(tmp_path / "nowhere")

    def test_reads_the_real_lists(self, samples: Path) -> None:
        assert len(ofac_read(samples / "screening/ofac_sdn_2019")) == 7379
        consolidated = ofac_read(samples / "screening/ofac_consolidated")
        assert (len(consolidated), sum(len(entry.names) for entry in consolidated) > 1500) == (442, True)


UN = """<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST dateGenerated="2026-01-02T03:04:05Z"><INDIVIDUALS>
<INDIVIDUAL><DATAID>11</DATAID><FIRST_NAME>MALLORY</FIRST_NAME><SECOND_NAME>MADEUP</SECOND_NAME><UN_LIST_TYPE>Test</UN_LIST_TYPE>
<NAME_ORIGINAL_SCRIPT>مالوری</NAME_ORIGINAL_SCRIPT><NATIONALITY><VALUE>Democratic Republic of the Congo</VALUE></NATIONALITY>
<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Malory Made Up; Mal Up</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>The Example</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ALIAS><QUALITY/><ALIAS_NAME/></INDIVIDUAL_ALIAS>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1970</FROM_YEAR><TO_YEAR>1972</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_DATE_OF_BIRTH><DATE>1965-04-01</DATE></INDIVIDUAL_DATE_OF_BIRTH></INDIVIDUAL></INDIVIDUALS>
<ENTITIES><ENTITY><DATAID>12</DATAID><FIRST_NAME>NOWHERE FRONT</FIRST_NAME>
<ENTITY_ADDRESS><COUNTRY>Mali</COUNTRY></ENTITY_ADDRESS></ENTITY></ENTITIES></CONSOLIDATED_LIST>
"""
BOMB = '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))


class TestUnitedNations:
    def write(self, path: Path, text: str | bytes) -> Path:
        file = path / "un.xml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def test_reads_names_years_and_countries(self, tmp_path: Path) -> None:
        (person, group), version = un_read(self.write(tmp_path, UN))
        assert version == "2026-01-02T03:04:05Z"
        assert [(name.text, name.kind.value) for name in person.names] == [
            ("MALLORY MADEUP", "primary"),
            ("مالوری", "original"),
            ("Malory Made Up", "alias"),
            ("Mal Up", "alias"),
            ("The Example", "weak"),
        ]
        assert (person.birth_years, person.countries) == ([1970, 1971, 1972, 1965], ["CD"])
        assert (group.schema, group.countries) == ("Organization", ["ML"])

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (UN[:900], "cut"),
            (UN[: UN.index("<ENTITIES>")], "cut"),
            (UN.replace("CONSOLIDATED_LIST", "sdnList"), "format"),
            (UN.replace("DATAID", "NUMBER"), "format"),
            (UN.replace("<FIRST_NAME>NOWHERE FRONT</FIRST_NAME>", ""), "format"),
            (UN.replace("<DATAID>12<", "<DATAID>11<"), "doubled"),
            ("<CONSOLIDATED_LIST/>", "empty"),
            ("", "empty"),
            ("a,b,c", "format"),
            (b"\x00\x01\x02", "format"),
            (UN.encode("utf-16")[:400], "format"),
            (f'<?xml version="1.0"?>{BOMB}]><CONSOLIDATED_LIST>&j;</CONSOLIDATED_LIST>', "hostile"),
            ('<!DOCTYPE l [<!ENTITY e SYSTEM "file:///etc/passwd">]><CONSOLIDATED_LIST>&e;</CONSOLIDATED_LIST>', "hostile"),
            ('<!DOCTYPE l SYSTEM "http://127.0.0.1:1/x.dtd"><CONSOLIDATED_LIST/>', "hostile"),
            ('<!DOCTYPE l [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x">%p;]><CONSOLIDATED_LIST/>', "hostile"),
        ],
    )
    def test_is_refused_whole_and_at_once(self, tmp_path: Path, text: str | bytes, code: str) -> None:
        begun = time.monotonic()
        with pytest.raises(ListRefused) as refused:
            un_read(self.write(tmp_path, text))
        assert refused.value.code == code, str(refused.value)
        assert time.monotonic() - begun < 5

    def test_says_in_which_line(self, tmp_path: Path) -> None:
        with pytest.raises(ListRefused) as refused:
            un_read(self.write(tmp_path, UN.replace("<SECOND_NAME>", "<SECOND_NAME", 1).replace("</DATAID>", "</DATAID>\n\n", 1)))
        assert refused.value.line in (5, 6)

    def test_reads_the_real_list(self, samples: Path) -> None:
        entries, version = un_read(samples / "screening/un/UN_consolidated.xml")
        assert (len(entries), version) == (1003, "2026-02-27T00:00:09.554Z")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Iran (Islamic Republic of)", "IR"), ("Côte d'Ivoire", "CI"), ("  Sweden.", "SE"), ("Korea, North", "KP"), ("Turkey", "TR"),
        ("the Netherlands", "NL"), ("SE", "SE"), ("Atlantis", ""), ("", ""), ("ZZ", ""),
    ],
)  # fmt: skip
def test_countries_have_codes(text: str, code: str) -> None:
    assert country_code(text) == code
