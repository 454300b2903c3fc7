import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser

KEPT = 5000
BODY_LONGEST = 200_000


@dataclass(frozen=True)
class Message:
    kind: str
    recipient: str
    sender: str
    subject: str
    text: str
    html: str
    at: datetime
    id: int = 0
    # The sender's own id: what arrives again under it is the same message.
    client_id: str | None = None


def email_read(raw: bytes, *, sender: str, recipient: str, at: datetime) -> Message:
    """Whatever was sent becomes a message; what cannot be read is shown as it came."""
    subject, text, html = "", "", ""
    try:
        parsed = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(raw)
        subject = str(parsed.get("Subject", ""))
        sender = str(parsed.get("From", "")) or sender
        text, html = _part(parsed, "plain"), _part(parsed, "html")
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, IndexError):
        # The standard library's parser fails in all these ways on hostile headers.
        text = raw.decode("utf-8", "replace")
    return Message("email", recipient.lower(), sender, subject, text[:BODY_LONGEST], html[:BODY_LONGEST], at)


def _part(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    content = part.get_content()
    return content if isinstance(content, str) else ""


def message_add(db: sqlite3.Connection, message: Message) -> int:
    if message.client_id:
        row = db.execute("SELECT id FROM message WHERE client_id = ?", (message.client_id,)).fetchone()
        if row:
            return int(row["id"])
    cursor = db.execute(
        "INSERT INTO message (kind, client_id, recipient, sender, subject, text, html, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.kind,
            message.client_id,
            _clean(message.recipient),
            _clean(message.sender),
            _clean(message.subject),
            _clean(message.text),
            _clean(message.html),
            message.at.isoformat(),
        ),
    )
    message_id = cursor.lastrowid or 0
    db.execute("DELETE FROM message WHERE id <= ?", (message_id - KEPT,))
    return message_id


def _clean(text: str) -> str:
    # A lone surrogate from a broken charset cannot be stored as UTF-8.
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def messages_find(
    db: sqlite3.Connection,
    *,
    to: str = "",
    part: bool = False,
    kind: str = "",
    after_id: int = 0,
    before_id: int | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[Message]:
    """The newest first. `to` is a whole address, or with `part` a piece of one."""
    clauses: list[str] = ["id > ?"]
    values: list[str | int] = [after_id]
    if before_id is not None:
        clauses.append("id < ?")
        values.append(before_id)
    if to and part:
        clauses.append("instr(recipient, ?) > 0")
        values.append(to.strip().lower())
    elif to:
        clauses.append("recipient = ?")
        values.append(to.strip().lower())
    if kind:
        clauses.append("kind = ?")
        values.append(kind)
    if since:
        clauses.append("at >= ?")
        values.append(since.astimezone(UTC).isoformat())
    sql = f"SELECT * FROM message WHERE {' AND '.join(clauses)} ORDER BY id DESC LIMIT ?"
    return [_read(row) for row in db.execute(sql, (*values, limit))]


def message_find(db: sqlite3.Connection, message_id: int) -> Message | None:
    row = db.execute("SELECT * FROM message WHERE id = ?", (message_id,)).fetchone()
    return _read(row) if row else None


def _read(row: sqlite3.Row) -> Message:
    return Message(
        kind=row["kind"],
        recipient=row["recipient"],
        sender=row["sender"],
        subject=row["subject"],
        text=row["text"],
        html=row["html"],
        at=datetime.fromisoformat(row["at"]),
        id=row["id"],
        client_id=row["client_id"],
    )
