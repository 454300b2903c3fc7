import asyncio
import logging
import sqlite3

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.inbox.messages import email_read, message_add
from sandbox.world import World

logger = logging.getLogger(__name__)

MAIL_BYTES_MAX = 5_000_000
RECIPIENTS_MAX = 100


class MailHandler:
    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        try:
            await asyncio.to_thread(self._store, envelope)
        except sqlite3.Error:
            logger.exception("mail not stored")
            return "451 not stored, try again"
        return "250 Message accepted"

    def _store(self, envelope: Envelope) -> None:
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        at = self._world.clock.now()
        with self._world.store.writing() as db:
            for recipient in envelope.rcpt_tos:
                message_add(db, email_read(raw, sender=envelope.mail_from or "", recipient=recipient, at=at))


def smtp_make(world: World) -> Controller:
    config = world.config
    return Controller(MailHandler(world), hostname=config.bind, port=config.smtp_port, data_size_limit=MAIL_BYTES_MAX, ident="sandbox")
