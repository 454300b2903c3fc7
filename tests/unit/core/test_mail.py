from __future__ import annotations

import pytest
from django.core import mail as outbox
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from pytest_django import Settings

from core import due, wake
from core.mail import mail_send
from core.models import DueWork


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake, "_send", lambda task: None)


def send(**changes: str | None) -> DueWork:
    return mail_send(**{"to": "asa@example.test", "subject": "Hej", "body_text": "Din kod är 123456", **changes})  # type: ignore[arg-type]


class TestMailSend:
    def test_waits_in_the_table_without_showing_whom_or_what(self, db: None) -> None:
        send()
        assert outbox.outbox == []
        with connection.cursor() as cursor:
            cursor.execute("SELECT t::text || encode(secret, 'escape') FROM core_due_work t")
            row = cursor.fetchone()[0]
        assert "example" not in row
        assert "123456" not in row

    def test_leaves_once_with_our_id(self, db: None, settings: Settings) -> None:
        work = send(body_html="<p>Din kod</p>")
        assert due.sweep(kinds=["core.mail"]) == 1
        assert due.sweep(kinds=["core.mail"]) == 0
        [message] = outbox.outbox
        assert message.to == ["asa@example.test"]
        assert (message.subject, message.body) == ("Hej", "Din kod är 123456")
        assert message.from_email == settings.DEFAULT_FROM_EMAIL
        assert message.extra_headers["Message-ID"].startswith(f"<{work.id}@")
        assert message.extra_headers["Auto-Submitted"] == "auto-generated"
        assert isinstance(message, EmailMultiAlternatives)
        assert message.alternatives == [("<p>Din kod</p>", "text/html")]
        work.refresh_from_db()
        assert work.secret == ""

    def test_under_one_run_key_leaves_once(self, db: None) -> None:
        send(run_key="receipt-1")
        send(run_key="receipt-1")
        due.sweep(kinds=["core.mail"])
        assert len(outbox.outbox) == 1

    def test_takes_line_breaks_out_of_the_subject(self, db: None) -> None:
        send(subject="Hej\r\nBcc: mallory@example.test")
        due.sweep(kinds=["core.mail"])
        assert outbox.outbox[0].subject == "Hej Bcc: mallory@example.test"

    def test_with_a_line_break_in_the_address_never_leaves(self, db: None) -> None:
        work = send(to="asa@example.test\nBcc: mallory@example.test")
        due.sweep(kinds=["core.mail"])
        assert outbox.outbox == []
        work.refresh_from_db()
        assert (work.state, work.error) == ("waiting", "BadHeaderError")

    def test_is_kept_while_the_mail_server_is_away(self, db: None, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        work = send()
        assert due.sweep(kinds=["core.mail"]) == 1
        work.refresh_from_db()
        assert (work.state, work.error) == ("waiting", "ConnectionRefusedError")
        assert "123456" in work.secret
