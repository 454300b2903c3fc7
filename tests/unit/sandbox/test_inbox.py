"""Mail and text messages go in, people and tests find them."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.inbox import messages
from sandbox.store import Store
from tests.unit.sandbox.outside import Sandbox


def send(
    sandbox: Sandbox, *, to: str = "asa@example.com", subject: str = "Ditt lån 👋", text: str = "Code: 123456", html: str = ""
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Hub <hub@example.com>", to, subject
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as smtp:
        smtp.send_message(mail)


def found(sandbox: Sandbox, **query: Any) -> list[dict[str, Any]]:
    answer = requests.get(f"{sandbox.url}/inbox/messages.json", params=query, timeout=5)
    answer.raise_for_status()
    listed: list[dict[str, Any]] = answer.json()["messages"]
    return listed


class TestMail:
    def test_is_found_by_its_recipient(self, sandbox: Sandbox) -> None:
        send(sandbox, to="Asa@Example.com")
        send(sandbox, to="bo@example.com")
        mail = found(sandbox, to="asa@example.com")
        assert len(mail) == 1
        assert (mail[0]["subject"], mail[0]["text"].strip(), mail[0]["kind"]) == ("Ditt lån 👋", "Code: 123456", "email")
        assert mail[0]["from"] == "Hub <hub@example.com>"

    def test_comes_newest_first_and_since_an_id_or_a_time(self, sandbox: Sandbox) -> None:
        send(sandbox, text="one")
        before_two = datetime.now(UTC)
        send(sandbox, text="two")
        both = found(sandbox)
        assert [one["text"].strip() for one in both] == ["two", "one"]
        assert [one["text"].strip() for one in found(sandbox, since=both[1]["id"])] == ["two"]
        assert [one["text"].strip() for one in found(sandbox, since=before_two.isoformat())] == ["two"]
        assert found(sandbox, since=(before_two + timedelta(hours=1)).isoformat()) == []
        assert requests.get(f"{sandbox.url}/inbox/messages.json?since=soon", timeout=5).status_code == 400

    def test_to_several_is_one_message_for_each(self, sandbox: Sandbox) -> None:
        with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as smtp:
            smtp.sendmail("hub@example.com", ["a@example.com", "b@example.com"], b"Subject: Hi\r\n\r\nbody")
        assert {one["to"] for one in found(sandbox)} == {"a@example.com", "b@example.com"}

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"no headers at all",
            b"Subject: =?utf-8?b?////?=\r\n\r\nx",
            b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe",
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
            b"From: \xff\xff\r\nTo: <<<>>>\r\nSubject: \x00\r\n\r\n\x00",
            b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx",
        ],
    )
    def test_that_is_broken_is_taken_all_the_same(self, sandbox: Sandbox, raw: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as smtp:
            smtp.sendmail("hub@example.com", ["asa@example.com"], raw)
        message_id = found(sandbox)[0]["id"]
        assert requests.get(f"{sandbox.url}/inbox/{message_id}/", timeout=5).status_code == 200

    def test_that_is_huge_is_refused(self, sandbox: Sandbox) -> None:
        with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=20) as smtp, pytest.raises(smtplib.SMTPException):
            smtp.sendmail("hub@example.com", ["asa@example.com"], b"Subject: x\r\n\r\n" + b"x" * 6_000_000)
        assert found(sandbox) == []


class TestKeeping:
    def test_the_oldest_go_when_there_are_many(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(messages, "KEPT", 3)
        store = Store(tmp_path)
        with store.writing() as db:
            for number in range(5):
                messages.message_add(db, messages.Message("sms", "+46", "Hub", "", f"text {number}", "", datetime.now(UTC)))
            kept = messages.messages_find(db)
        store.close()
        assert [one.text for one in kept] == ["text 4", "text 3", "text 2"]


class TestPages:
    def test_list_and_search(self, sandbox: Sandbox) -> None:
        send(sandbox, to="asa@example.com", subject="For Åsa")
        send(sandbox, to="bo@example.com", subject="For Bo")
        everything = requests.get(f"{sandbox.url}/inbox/", timeout=5).text
        assert everything.index("For Bo") < everything.index("For Åsa")
        searched = requests.get(f"{sandbox.url}/inbox/?to=ASA@", timeout=5).text
        assert "For Åsa" in searched
        assert "For Bo" not in searched

    def test_page_through_many(self, sandbox: Sandbox) -> None:
        for number in range(55):
            requests.post(f"{sandbox.url}/sms/messages", json={"to": "+46700000001", "text": f"number {number}"}, timeout=5)
        first = requests.get(f"{sandbox.url}/inbox/", timeout=5).text
        assert "number 54" in first
        assert "number 4<" not in first
        older = first.split("before=")[1].split('"')[0]
        assert "number 4<" in requests.get(f"{sandbox.url}/inbox/?before={older}", timeout=5).text

    def test_reload_by_themselves_only_when_asked(self, sandbox: Sandbox) -> None:
        assert 'http-equiv="refresh"' not in requests.get(f"{sandbox.url}/inbox/", timeout=5).text
        assert 'http-equiv="refresh"' in requests.get(f"{sandbox.url}/inbox/?live=1", timeout=5).text

    def test_make_links_of_addresses_and_show_nothing_unescaped(self, sandbox: Sandbox) -> None:
        send(sandbox, subject="<b>hi</b>", text='See https://hub.example/reset?a=1&b=2 <script>alert("x")</script>')
        shown = requests.get(f"{sandbox.url}/inbox/{found(sandbox)[0]['id']}/", timeout=5).text
        assert 'href="https://hub.example/reset?a=1&amp;b=2"' in shown
        assert "<script" not in shown
        assert "<b>hi" not in shown
        assert "<b>hi" not in requests.get(f"{sandbox.url}/inbox/", timeout=5).text

    def test_show_html_in_a_cage(self, sandbox: Sandbox) -> None:
        send(sandbox, html='<p>Hello</p><script>parent.document.title="x"</script>')
        message_id = found(sandbox)[0]["id"]
        shown = requests.get(f"{sandbox.url}/inbox/{message_id}/", timeout=5)
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown.text
        assert "parent.document" not in shown.text
        caged = requests.get(f"{sandbox.url}/inbox/{message_id}/html", timeout=5)
        assert caged.headers["Content-Security-Policy"].startswith("sandbox allow-popups")
        assert "script-src" not in caged.headers["Content-Security-Policy"]

    def test_of_unknown_messages_are_404(self, sandbox: Sandbox) -> None:
        assert requests.get(f"{sandbox.url}/inbox/999999999999999999999/", timeout=5).status_code == 404


class TestTextMessages:
    def test_arrive_once_per_id(self, sandbox: Sandbox) -> None:
        for _ in range(2):
            answer = requests.post(
                f"{sandbox.url}/sms/messages", json={"to": "+46700000001", "text": "Code 12 34", "id": "sms-1"}, timeout=5
            )
            assert answer.status_code == 201
        arrived = found(sandbox, to="+46700000001", kind="sms")
        assert [(one["text"], one["kind"]) for one in arrived] == [("Code 12 34", "sms")]

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"{", b"[]", b"5", b"[" * 100_000, b'{"to": "+46"}', b'{"to": 5, "text": "x"}', b'{"to": "+4670", "text": ""}',
            b'{"to": "+4670", "text": "x", "id": "\\ud800"}', b'{"to": "+4670", "text": "' + b"x" * 2000 + b'"}', b"\xff",
        ],
    )  # fmt: skip
    def test_that_make_no_sense_are_refused(self, sandbox: Sandbox, body: bytes) -> None:
        answer = requests.post(f"{sandbox.url}/sms/messages", data=body, headers={"Content-Type": "application/json"}, timeout=5)
        assert answer.status_code == 400

    def test_with_half_characters_are_kept_readable(self, sandbox: Sandbox) -> None:
        body = b'{"to": "+46700000001", "text": "half \\ud83d"}'
        assert requests.post(f"{sandbox.url}/sms/messages", data=body, timeout=5).status_code == 201
        assert found(sandbox)[0]["text"] == "half ?"
