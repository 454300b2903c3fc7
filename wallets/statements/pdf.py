"""A statement as PDF: A4, in the reader's language and direction, with embedded fonts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import IO
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language_info, override
from django.utils.translation import gettext as _
from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from core import formatting
from core.money import Money
from wallets.statements.errors import StatementTooLong
from wallets.statements.pdf_text import BOLD, REGULAR, fitted, font, laid_out, runs, width
from wallets.statements.selectors import Line, Statement

# Some hundred pages, made in seconds; a PDF is kept in memory until its end, and nobody prints more.
LINES_MAX = 2_000
# Streams as they are, not as text: smaller, and quicker to make.
rl_config.useA85 = 0
_WIDTH, _HEIGHT = A4
_MARGIN, _FOOT = 42.0, 54.0
_INK, _MUTED, _RULE = (0.1, 0.12, 0.13), (0.36, 0.4, 0.42), (0.8, 0.83, 0.84)
# Where columns begin or end, measured from the side at which reading begins.
_DAY, _TEXT, _AMOUNT, _BALANCE = _MARGIN, 128.0, 455.0, _WIDTH - _MARGIN
_TEXT_WIDTH = 230.0


def write(file: IO[bytes], statement: Statement, lines: Iterable[Line], *, owner: str, proof: str, language: str, now: datetime) -> None:
    """
    Draw the statement into the file.

    :raises StatementTooLong: more than LINES_MAX lines.
    """
    if statement.count > LINES_MAX:
        raise StatementTooLong(limit=LINES_MAX)
    with override(language):
        page = _Pages(file, statement, owner=owner, proof=proof, language=language, now=now)
        page.head()
        for line in lines:
            page.line(line)
        page.end()


class _Pages:
    """The sheet that is being drawn. `y` is how far down it is written, from the top."""

    def __init__(self, file: IO[bytes], statement: Statement, *, owner: str, proof: str, language: str, now: datetime) -> None:
        self.statement, self.owner, self.proof, self.language, self.now = statement, owner, proof, language, now
        self.zone = ZoneInfo(statement.period.zone)
        self.rtl = bool(get_language_info(language)["bidi"])
        for name in (REGULAR, BOLD):
            font(name)
        self.canvas = Canvas(file, pagesize=A4, pageCompression=1, lang=language)
        self.canvas.setTitle(f"{_('Account statement')}: {self._period()}")
        self.canvas.setAuthor(settings.HUB_NAME)
        self.number, self.y = 1, _MARGIN

    # --- parts of the document

    def head(self) -> None:
        statement = self.statement
        self.y += 14
        self._text(_MARGIN, settings.HUB_NAME, name=BOLD, size=11)
        self.y += 34
        self._text(_MARGIN, _("Account statement"), name=BOLD, size=20)
        self.y += 22
        self._text(_MARGIN, self._period(), size=11)
        self.y += 26
        for label, value in (
            (_("Account holder"), self.owner),
            (_("Currency"), f"{formatting.currency_name(statement.wallet.currency, self.language)} ({statement.wallet.currency})"),
            (_("Account number"), str(statement.wallet.id)),
            (_("Made"), formatting.moment(self.now, self.language, zone=statement.period.zone)),
        ):
            self._text(_MARGIN, label, size=9, ink=_MUTED)
            self._text(_TEXT, value, size=9)
            self.y += 15
        if not statement.complete:
            self._text(_MARGIN, _("The last day has not ended: more may follow."), size=9, ink=_MUTED)
            self.y += 15
        self.y += 8
        self._rule()
        for label, money, name in (
            (_("Balance at the beginning"), statement.opening, REGULAR),
            (_("Money in"), statement.money_in, REGULAR),
            (_("Money out"), -statement.money_out, REGULAR),
            (_("Balance at the end"), statement.closing, BOLD),
        ):
            self.y += 17
            self._text(_MARGIN, label, name=name, size=10)
            self._text(_BALANCE, self._money(money), name=name, size=10, ends=True)
        self.y += 9
        self._rule()
        self.y += 24
        if statement.count:
            self._columns()
        else:
            self._text(_MARGIN, _("No movements in this period."), size=10)

    def line(self, line: Line) -> None:
        below = [line.text.label] if line.text.counterparty else []
        if line.text.note:
            below.append(line.text.note)
        title = fitted(line.text.counterparty or line.text.label, BOLD, 9, _TEXT_WIDTH)
        small = [part for text in below for part in fitted(text, REGULAR, 8, _TEXT_WIDTH)]
        height = 12 * len(title) + 10.5 * len(small) + 10
        if self.y + height > _HEIGHT - _FOOT:
            self._new_page()
        top = self.y
        self.y += 10
        day = line.entry.created_at.astimezone(self.zone).date()
        self._text(_DAY, formatting.day(day, self.language, "medium"), size=8.5)
        self._text(_AMOUNT, self._money(line.entry.amount, sign=True), size=9, ends=True)
        self._text(_BALANCE, self._money(line.entry.balance), size=9, ends=True, ink=_MUTED)
        for part in title:
            self._text(_TEXT, part, name=BOLD, size=9)
            self.y += 12
        for part in small:
            self._text(_TEXT, part, size=8, ink=_MUTED)
            self.y += 10.5
        self.y = top + height
        self._rule()

    def end(self) -> None:
        self._foot()
        self.canvas.showPage()
        self.canvas.save()

    def _new_page(self) -> None:
        self._foot()
        self.canvas.showPage()
        self.number, self.y = self.number + 1, _MARGIN + 10
        self._columns()

    def _columns(self) -> None:
        for place, label, ends in (
            (_DAY, _("Date"), False),
            (_TEXT, _("Description"), False),
            (_AMOUNT, _("Amount"), True),
            (_BALANCE, _("Balance"), True),
        ):
            self._text(place, label, size=8.5, ink=_MUTED, ends=ends)
        self.y += 6
        self._rule()

    def _foot(self) -> None:
        self.y = _HEIGHT - 32
        self._text(_MARGIN, self.proof, size=7, ink=_MUTED)
        self._text(_BALANCE, _("Page %(number)s") % {"number": formatting.num(self.number, self.language)}, size=8, ink=_MUTED, ends=True)

    # --- drawing

    def _period(self) -> str:
        first, last = (formatting.day(day, self.language) for day in (self.statement.period.since, self.statement.period.until))
        return first if first == last else f"{first} \N{EN DASH} {last}"

    def _money(self, value: Money, *, sign: bool = False) -> str:
        return formatting.money(value, self.language, sign=sign)

    def _text(
        self, place: float, text: str, *, name: str = REGULAR, size: float, ink: tuple[float, float, float] = _INK, ends: bool = False
    ) -> None:
        """Write at `place`, measured from where reading begins; with `ends` the text ends there."""
        shown = laid_out(text, rtl=self.rtl)
        x = _WIDTH - place if self.rtl else place
        if ends != self.rtl:
            x -= width(shown, name, size)
        pen = self.canvas.beginText(x, _HEIGHT - self.y)
        pen.setFillColorRGB(*ink)
        for part_name, part in runs(shown, name):
            pen.setFont(part_name, size)
            pen.textOut(part)
        self.canvas.drawText(pen)

    def _rule(self) -> None:
        self.canvas.setStrokeColorRGB(*_RULE)
        self.canvas.setLineWidth(0.5)
        self.canvas.line(_MARGIN, _HEIGHT - self.y, _WIDTH - _MARGIN, _HEIGHT - self.y)
