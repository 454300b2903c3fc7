"""An account beside a file: stored runs, the work list, and who may do what."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from accounts.models import Party, Person
from core.models import AuditEntry, Event
from core.money import Money
from formats.statements import camt, own_csv
from formats.statements.model import Head, Transaction
from tests.unit.wallets.conftest import Book
from wallets import ledger, privacy, services
from wallets.ledger_models import LedgerAccount
from wallets.models import Wallet
from wallets.reconciliation.errors import AccountNotFound, AlreadyResolved, FileEmpty, FileOfAnotherCurrency, FileRefused, NoteRequired
from wallets.reconciliation.models import ReconciliationItem, ReconciliationRun
from wallets.reconciliation.services import account_find, item_resolve, reconcile
from wallets.statements import documents
from wallets.statements.documents import Format
from wallets.statements.periods import Period
from wallets.statements.selectors import statement_for

DAY = datetime(2026, 3, 11, 12, tzinfo=UTC)


def moved(debit: int, credit: int, minor: int, key: str, days: int = 0, **meta: str) -> int:
    now = DAY + timedelta(days=days)
    return ledger.post(debit=debit, credit=credit, amount=Money(minor, "EUR"), key=key, now=now, meta=meta or None).id


def bank_file(*lines: tuple[int, int, str], opening: int = 0, currency: str = "EUR") -> bytes:
    """A bank's statement of March: (minor, days after the 11th, reference)."""
    found = [
        Transaction(
            booked_on=(DAY + timedelta(days=days)).date(),
            amount=Decimal(minor).scaleb(-2),
            currency=currency,
            bank_id=f"b{number}",
            reference=reference,
            counterparty="Somebody",
        )
        for number, (minor, days, reference) in enumerate(lines)
    ]
    closing = Decimal(opening + sum(minor for minor, *_ in lines)).scaleb(-2)
    head = Head("s", "a", "a", "Hub", currency, date(2026, 3, 1), date(2026, 3, 31), Decimal(opening).scaleb(-2), closing, DAY)
    return "".join(camt.write(head, found)).encode()


@pytest.fixture
def bank(book: Book) -> LedgerAccount:
    return LedgerAccount.objects.get(id=ledger.system_account("provider:bank", "EUR", now=DAY))


@pytest.fixture
def wallet(somebody: Party, book: Book, bank: LedgerAccount) -> Wallet:
    wallet = services.wallet_open(party_id=somebody.id, currency="EUR", now=DAY)
    moved(bank.id, wallet.account, 500_00, "in", -1, payment="0199b2c4-8d5e-7000-8000-000000000001")
    moved(wallet.account, bank.id, 20_00, "out", 0, payment="0199b2c4-8d5e-7000-8000-000000000002")
    return wallet


@pytest.fixture
def clerk(db: None) -> Person:
    return Person.objects.create_user("clerk@example.com", "a long pass phrase", is_staff=True)


def kinds(run: ReconciliationRun) -> list[tuple[str, str, int | None, int | None]]:
    return sorted((item.kind, item.reason, item.ours_minor, item.theirs_minor) for item in run.items.all())


class TestReconcile:
    def test_an_account_at_a_bank_is_mirrored(self, wallet: Wallet, bank: LedgerAccount) -> None:
        data = bank_file((500_00, -1, "0199b2c48d5e70008000000000000001"), (-20_00, 1, ""))
        run = reconcile(account=bank, data=data, by=None, now=DAY)
        assert (run.matched, run.missing, run.extra, run.different, run.state) == (2, 0, 0, 0, "done")
        assert (run.closing_theirs, run.closing_ours, run.mirrored) == (480_00, 480_00, True)
        assert Event.objects.filter(name="wallets.reconciliation.made").count() == 1

    def test_names_what_is_missing_extra_and_different(self, wallet: Wallet, bank: LedgerAccount, clerk: Person) -> None:
        moved(bank.id, wallet.account, 7_00, "only ours", 2)
        data = bank_file((500_01, -1, "0199b2c48d5e70008000000000000001"), (-20_00, 0, ""), (-3_50, 5, "unknown"))
        run = reconcile(account=bank, data=data, by=clerk, now=DAY)
        assert kinds(run) == [("different", "amount", 500_00, 500_01), ("extra", "", 7_00, None), ("missing", "", None, -3_50)]
        assert (run.matched, run.state) == (1, "open")
        missing = run.items.get(kind="missing")
        assert "Somebody" in missing.text
        assert reconcile(account=bank, data=data, by=clerk, now=DAY).id == run.id

    def test_a_wallets_own_statement_agrees_with_it(self, wallet: Wallet) -> None:
        period = Period(date(2026, 3, 1), date(2026, 3, 31), "Europe/Stockholm")
        for form in (Format.CSV, Format.OFX, Format.CAMT):
            with documents.document(statement_for(wallet, period, now=DAY), form, language="en", now=DAY).file as file:
                run = reconcile(account=account_find(str(wallet.id)), data=file.read(), by=None, now=DAY)
            assert (run.matched, run.missing, run.extra, run.different, run.mirrored) == (2, 0, 0, 0, False), form
            assert run.closing_theirs == run.closing_ours == 480_00

    def test_what_lies_just_outside_is_nobodys_business(self, wallet: Wallet, bank: LedgerAccount) -> None:
        moved(bank.id, wallet.account, 9_00, "april", 21)
        run = reconcile(account=bank, data=bank_file((500_00, -1, ""), (-20_00, 0, "")), by=None, now=DAY)
        assert (run.matched, run.extra) == (2, 0)

    def test_refuses_what_cannot_be_compared(self, wallet: Wallet, bank: LedgerAccount) -> None:
        for data, error in (
            (b"nonsense", FileRefused),
            (bank_file((1, 0, ""), currency="SEK"), FileOfAnotherCurrency),
            (",".join(own_csv.COLUMNS).encode() + b"\n", FileEmpty),
            (bank_file((1, 0, "")).replace(b">0.01<", b">0.001<"), FileRefused),
        ):
            with pytest.raises(error):
                reconcile(account=bank, data=data, by=None, now=DAY)
        assert not ReconciliationRun.objects.exists()


class TestAccountFind:
    def test_takes_codes_ids_and_numbers(self, wallet: Wallet, bank: LedgerAccount) -> None:
        assert account_find("provider:bank", "EUR") == account_find(str(bank.id)) == bank
        assert account_find(str(wallet.id)).id == wallet.account
        for text, currency in (("provider:bank", "SEK"), ("x", ""), (str(uuid4()), ""), ("999999999", ""), (str(wallet.id), "SEK")):
            with pytest.raises(AccountNotFound):
                account_find(text, currency)


class TestResolving:
    def test_takes_a_note_and_ends_the_run_with_the_last_one(self, wallet: Wallet, bank: LedgerAccount, clerk: Person) -> None:
        run = reconcile(account=bank, data=bank_file((500_00, -1, "")), by=clerk, now=DAY)
        (item,) = run.items.all()
        with pytest.raises(NoteRequired):
            item_resolve(item_id=item.id, note="  ", by=clerk, now=DAY)
        found = item_resolve(item_id=item.id, note="Booked a day later", by=clerk, now=DAY)
        assert (found.state, found.note, found.resolved_by) == ("resolved", "Booked a day later", clerk)
        run.refresh_from_db()
        assert (run.state, run.done_at) == ("done", DAY)
        assert AuditEntry.objects.filter(action="wallets.reconciliation.resolved", actor_id=clerk.pk).exists()
        with pytest.raises(AlreadyResolved):
            item_resolve(item_id=item.id, note="again", by=clerk, now=DAY)


def test_a_party_gets_what_was_noted_about_its_account(wallet: Wallet) -> None:
    reconcile(account=account_find(str(wallet.id)), data=bank_file((1_00, 0, "")), by=None, now=DAY)
    found = privacy.export_reconciled(wallet.party_id)
    assert sorted(row["kind"] for row in found) == ["extra", "extra", "missing"]


def test_the_command_says_what_differs(wallet: Wallet, bank: LedgerAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(bank_file((500_00, -1, ""), (-20_00, 0, "")))
    bad.write_bytes(bank_file((500_00, -1, "")))
    out = io.StringIO()
    call_command("ledger_reconcile", str(good), "--account", "provider:bank", "--currency", "EUR", "--json", stdout=out)
    assert json.loads(out.getvalue())["matched"] == 2
    for file, account, code in ((bad, "provider:bank", 1), (bad, "provider:none", 2), (tmp_path / "none", "provider:bank", 2)):
        with pytest.raises(SystemExit) as ended:
            call_command("ledger_reconcile", str(file), "--account", account, "--currency", "EUR", "--json", stdout=io.StringIO())
        assert ended.value.code == code


class TestStaffPages:
    def test_compare_and_resolve(self, wallet: Wallet, bank: LedgerAccount, clerk: Person, rf) -> None:
        from django.contrib import admin as site
        from django.contrib.auth.models import Group
        from django.contrib.messages.storage.fallback import FallbackStorage

        clerk.groups.add(Group.objects.get(name="operations"))

        somebody: Any = clerk

        def asked(method: str, data: dict[str, Any]) -> Any:
            request = getattr(rf, method)("/", data)
            request.user, request.session = somebody, {}
            somebody.is_verified = lambda: True  # with a code, as the staff site asks for
            request._messages = FallbackStorage(request)
            return request

        runs: Any = site.site._registry[ReconciliationRun]
        file = SimpleUploadedFile("march.xml", bank_file((500_00, -1, "")))
        answer = runs.add_view(asked("post", {"account": "provider:bank", "currency": "eur", "file": file}))
        assert answer.status_code == 302
        bad = runs.add_view(asked("post", {"account": "provider:bank", "currency": "EUR", "file": SimpleUploadedFile("x", b"nonsense")}))
        assert (bad.status_code, "cannot be read" in str(bad.context_data["form"].errors)) == (422, True)
        items: Any = site.site._registry[ReconciliationItem]
        item = ReconciliationItem.objects.get()
        assert items.has_change_permission(asked("get", {}), item)
        form = items.get_form(asked("get", {}), item)({"resolution": "A fee"}, instance=item)
        assert form.is_valid()
        items.save_model(asked("post", {}), item, form, True)
        assert ReconciliationItem.objects.get().state == "resolved"
        assert not items.has_change_permission(asked("get", {}), ReconciliationItem.objects.get())

    def test_are_for_operations_only(self, wallet: Wallet, clerk: Person, rf) -> None:
        from django.contrib import admin as site
        from django.contrib.auth.models import Group

        for group, view, add, change in ((None, False, False, False), ("support", False, False, False), ("compliance", True, False, False)):
            clerk.groups.set([Group.objects.get(name=group)] if group else [])
            request = rf.get("/")
            request.user = Person.objects.get(pk=clerk.pk)
            runs, items = site.site._registry[ReconciliationRun], site.site._registry[ReconciliationItem]
            found = (runs.has_view_permission(request), runs.has_add_permission(request), items.has_change_permission(request))
            assert found == (view, add, change), group
