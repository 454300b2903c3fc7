"""
A person's word for one exact action (dynamic linking): what they saw is what is bound, and it is good once.

`Action` says what is to happen; its canonical form is hashed. `approval_request` puts the question, the page /approve/<id>/
asks it with amount and payee and takes the proof, `approval_take` spends the answer inside the transaction that acts.
Source: docs/people.md, "Approvals".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, connections, transaction
from django.db.models import Sum
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.errors import ApprovalExpired, ApprovalInvalid, ApprovalMismatch, ApprovalUsed, ApprovalVoid, PasswordWrong, TriesExhausted
from accounts.models import Approval, Person
from accounts.models.approvals import LIFETIME, TRIES_MAX
from core import audit
from core.errors import NotFound
from core.money import Money

# Wrong passwords a person may type on approval pages within an hour, however many approvals they ask for.
TRIES_PER_HOUR: Final = 15

_titles: dict[str, str | Promise] = {
    "transfer": _("Send money"),
    "payout": _("Pay out money"),
}


def kind_title_register(kind: str, title: str | Promise) -> None:
    """What the approval page is headed with for this kind of action."""
    _titles[kind] = title


def kind_title(kind: str) -> str | Promise:
    return _titles.get(kind, _("Confirm"))


_details: dict[str, Callable[[Action], list[tuple[str | Promise, str]]]] = {}


def details_register(kind: str, lines: Callable[[Action], list[tuple[str | Promise, str]]]) -> None:
    """What else the approval page shows of such an action: names and values beside its amount and payee."""
    _details[kind] = lines


def details_of(action: Action) -> list[tuple[str | Promise, str]]:
    return _details[action.kind](action) if action.kind in _details else []


@dataclass(frozen=True)
class Action:
    """What is to happen. `extra` holds ids and codes (never names or notes): it is stored in clear and hashed."""

    kind: str
    amount: Money | None = None
    payee: UUID | None = None
    extra: dict[str, str | int | None] = field(default_factory=dict)

    def canonical(self) -> dict[str, Any]:
        for key, value in self.extra.items():
            if not isinstance(value, (str, int, type(None))) or len(str(value)) > 200:
                raise TypeError(f"extra[{key!r}] must be a short text, a whole number or None")
        return {
            "v": 1,
            "kind": self.kind,
            "amount": self.amount.amount if self.amount else None,
            "currency": self.amount.currency if self.amount else None,
            "payee": str(self.payee) if self.payee else None,
            "extra": {key: self.extra[key] for key in sorted(self.extra)},
        }

    def digest(self) -> bytes:
        """SHA-256 of the canonical JSON: keys sorted, no spaces, UTF-8."""
        return hashlib.sha256(json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).digest()

    @classmethod
    def parse(cls, canonical: dict[str, Any]) -> Action:
        amount = Money(canonical["amount"], canonical["currency"]) if canonical["currency"] else None
        return cls(
            kind=canonical["kind"],
            amount=amount,
            payee=UUID(canonical["payee"]) if canonical["payee"] else None,
            extra=dict(canonical["extra"]),
        )


@transaction.atomic
def approval_request(person: Person, action: Action, now: datetime, *, next_path: str = "") -> Approval:
    """
    Ask a person to approve an action within five minutes. `next_path` is the page of ours that goes on with it.

    :raises ValueError: `next_path` leads elsewhere.
    """
    if next_path and not (next_path.startswith("/") and url_has_allowed_host_and_scheme(next_path, allowed_hosts=None)):
        raise ValueError("next_path must be a path of this hub")
    approval = Approval.objects.create(
        person=person,
        action=action.canonical(),
        action_hash=action.digest(),
        next_path=next_path,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    _audit(approval, "requested")
    return approval


def approval_confirm(person: Person, approval_id: UUID, *, password: str, now: datetime) -> Approval:
    """
    The person says yes and proves it is them. Confirming twice changes nothing.

    :raises NotFound: not there, or somebody else's.
    :raises ApprovalInvalid: expired, used or void.
    :raises PasswordWrong: the try is counted; the fifth makes the approval void.
    :raises TriesExhausted: too many wrong tries.
    """
    # The refusal is raised behind the commit: a rolled-back counter counts nothing.
    with transaction.atomic():
        # Locking the person puts parallel guesses at several approvals of theirs in a row.
        Person.objects.select_for_update().only("pk").get(pk=person.pk)
        approval = Approval.objects.select_for_update().filter(id=approval_id, person=person).first()
        if approval is None:
            raise NotFound
        if approval.state == Approval.State.CONFIRMED and not approval.has_expired(now):
            return approval
        _raise_unless(approval, Approval.State.PENDING, now)
        refusal = _prove(approval, person, password, now)
    if refusal is not None:
        raise refusal
    return approval


def _prove(approval: Approval, person: Person, password: str, now: datetime) -> Exception | None:
    if _wrong_tries_lately(person, now) >= TRIES_PER_HOUR:
        return TriesExhausted()
    if person.check_password(password):
        approval.state, approval.confirmed_at = Approval.State.CONFIRMED, now
        approval.save(update_fields=["state", "confirmed_at"])
        _audit(approval, "confirmed")
        return None
    approval.wrong_tries += 1
    exhausted = approval.wrong_tries >= TRIES_MAX
    if exhausted:
        approval.state = Approval.State.VOID
    approval.save(update_fields=["wrong_tries", "state"])
    _audit(approval, "void" if exhausted else "refused", reason="password_wrong")
    return TriesExhausted() if exhausted else PasswordWrong(tries_left=TRIES_MAX - approval.wrong_tries)


def _wrong_tries_lately(person: Person, now: datetime) -> int:
    recent = Approval.objects.filter(person=person, created_at__gt=now - timedelta(hours=1))
    return int(recent.aggregate(total=Sum("wrong_tries"))["total"] or 0)


@transaction.atomic
def approval_decline(person: Person, approval_id: UUID, *, now: datetime) -> Approval:
    """
    The person says no.

    :raises NotFound: not there, or somebody else's.
    """
    approval = Approval.objects.select_for_update().filter(id=approval_id, person=person).first()
    if approval is None:
        raise NotFound
    if approval.state in (Approval.State.PENDING, Approval.State.CONFIRMED):
        approval.state = Approval.State.VOID
        approval.save(update_fields=["state"])
        _audit(approval, "declined")
    return approval


def approval_take(approval: Approval | UUID, action: Action, person: Person, now: datetime) -> Approval:
    """
    Spend an approval on exactly this action, in the transaction that carries it out: if that rolls back, the approval
    is unspent. Two takers at once: the row lock lets one through.

    :raises ApprovalMismatch: it was given for something else; it is void from now on, even if the caller rolls back.
    :raises ApprovalInvalid: unknown, unconfirmed, used, void (ApprovalUsed, ApprovalVoid) or expired (ApprovalExpired).
    """
    approval_id = approval.id if isinstance(approval, Approval) else approval
    found = Approval.objects.filter(id=approval_id, person=person).first()
    if found is None:
        raise ApprovalInvalid
    if bytes(found.action_hash) != action.digest():
        _void_for_good(found)
        raise ApprovalMismatch
    with transaction.atomic():
        locked = Approval.objects.select_for_update().get(id=approval_id)
        _raise_unless(locked, Approval.State.CONFIRMED, now)
        locked.state, locked.taken_at = Approval.State.TAKEN, now
        locked.save(update_fields=["state", "taken_at"])
        _audit(locked, "taken")
        return locked


def _raise_unless(approval: Approval, wanted: Approval.State, now: datetime) -> None:
    if approval.state == Approval.State.TAKEN:
        raise ApprovalUsed
    if approval.state == Approval.State.VOID:
        raise ApprovalVoid
    if approval.has_expired(now):
        raise ApprovalExpired
    if approval.state != wanted:
        raise ApprovalInvalid


def _void_for_good(approval: Approval) -> None:
    """
    The caller's transaction ends in a rollback, which would undo the void: write it over a connection of its own first.
    """
    if approval.state == Approval.State.TAKEN:
        return
    if connection.in_atomic_block:
        own = connections.create_connection(connection.alias)
        try:
            with own.cursor() as cursor:
                cursor.execute("SELECT set_config('hub.party', 'system', false), set_config('lock_timeout', '2s', false)")
                cursor.execute(
                    "UPDATE accounts_approval SET state = 'void' WHERE id = %s AND state IN ('pending', 'confirmed')",
                    [approval.id],
                )
        finally:
            own.close()
    Approval.objects.filter(id=approval.id, state__in=[Approval.State.PENDING, Approval.State.CONFIRMED]).update(state=Approval.State.VOID)
    approval.refresh_from_db(fields=["state"])


def _audit(approval: Approval, what: str, **data: str) -> None:
    audit.record(
        f"accounts.approval.{what}",
        actor=approval.person,
        party_id=approval.person.party_id,
        object_type="approval",
        object_id=approval.id,
        kind=approval.kind,
        **data,
    )
