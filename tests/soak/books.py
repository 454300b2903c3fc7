"""What the database says after the kills, asked with plain SQL so that no service of ours judges itself."""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg2

from tests.soak.load import Acknowledged

# (what it is, SQL that counts it). All are zero once everything is settled.
OPEN = (
    ("events without deliveries", "SELECT count(*) FROM core_event WHERE NOT fanned_out"),
    ("deliveries waiting", "SELECT count(*) FROM core_delivery WHERE state = 'waiting'"),
    ("work that is due", "SELECT count(*) FROM core_due_work WHERE state = 'waiting' AND (due_at <= now() OR error <> '')"),
    ("payments in the balance", "SELECT count(*) FROM payments_payment WHERE state IN ('pending', 'unknown', 'held')"),
    (
        "bills in the balance",
        "SELECT count(*) FROM payments_billrun WHERE state IN ('under_way', 'retrying') OR state = 'scheduled' AND due_at <= now()",
    ),
)
DEAD = (
    ("dead deliveries", "SELECT count(*) FROM core_delivery WHERE state = 'dead'"),
    ("dead work", "SELECT count(*) FROM core_due_work WHERE state = 'dead'"),
)


class Books:
    def __init__(self, url: str) -> None:
        self.connection = psycopg2.connect(url, connect_timeout=5)
        self.connection.autocommit = True

    def close(self) -> None:
        self.connection.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def open(self, paid: list[str]) -> dict[str, int]:
        """What is not settled yet; `paid` are top-ups whose card was charged."""
        found = {what: int(self.rows(sql)[0][0]) for what, sql in OPEN}
        waiting = "SELECT count(*) FROM payments_payment WHERE id = ANY(%s::uuid[]) AND state = 'waiting'"
        found["paid top-ups that are not here"] = int(self.rows(waiting, paid)[0][0])
        return {what: number for what, number in found.items() if number}

    def problems(self, acknowledged: list[Acknowledged], people: list[dict[str, Any]], bills: int) -> list[str]:
        return [*self._dead(), *self._payments(acknowledged), *self._ledger(), *self._balances(people), *self._bills(bills)]

    def _dead(self) -> list[str]:
        return [f"{number} {what}" for what, sql in DEAD if (number := int(self.rows(sql)[0][0]))]

    def _payments(self, acknowledged: list[Acknowledged]) -> list[str]:
        """Every acknowledged payment is there once and went where it was sent; there is none that nobody was told of."""
        found = {str(row[0]): row[1:] for row in self.rows("SELECT id, kind, state, amount_minor FROM payments_payment")}
        of_bills = {str(row[0]) for row in self.rows("SELECT payment_id FROM payments_billrun WHERE payment_id IS NOT NULL")}
        problems = []
        times = Counter(row.payment_id for row in acknowledged)
        problems += [f"payment {one} answers {number} keys" for one, number in times.items() if number > 1]
        for row in acknowledged:
            kind, state, amount = found.get(row.payment_id, ("", "", 0))
            if kind != {"transfers": "transfer", "top-ups": "top_up"}[row.kind] or amount != row.body["amount"]["amount"]:
                problems.append(f"acknowledged {row.kind} {row.payment_id} is lost or another: {kind} {amount}")
            elif state != "posted" and row.paid:
                problems.append(f"acknowledged {row.kind} {row.payment_id} is {state}")
        problems += [f"payment {one} was acknowledged to nobody" for one in found if one not in times and one not in of_bills]
        return problems

    def _ledger(self) -> list[str]:
        """Each payment that is done has moved its amount exactly once."""
        moved = self.rows(
            """
            SELECT payment.id, count(transfer.id), coalesce(sum(transfer.amount), 0), payment.amount_minor
            FROM payments_payment payment
            LEFT JOIN ledger_transfer transfer ON transfer.meta->>'payment' = payment.id::text AND transfer.kind = 'posted'
            WHERE payment.state = 'posted'
                AND NOT EXISTS (SELECT 1 FROM payments_step step WHERE step.payment_id = payment.id AND step.state = 'held')
            GROUP BY payment.id HAVING count(transfer.id) <> 1 OR sum(transfer.amount) <> payment.amount_minor
            """
        )
        twice = self.rows("SELECT key, count(*) FROM ledger_transfer GROUP BY key HAVING count(*) > 1")
        return [f"payment {row[0]} moved {row[2]} in {row[1]} transfers, not {row[3]}" for row in moved] + [
            f"key {row[0]} was posted {row[1]} times" for row in twice
        ]

    def _balances(self, people: list[dict[str, Any]]) -> list[str]:
        """A wallet holds what its payments say."""
        problems = []
        for person in people:
            wallet = person["wallet_id"]
            expected = self.rows(
                "SELECT coalesce(sum(CASE WHEN wallet_to_id = %s THEN amount_minor ELSE -amount_minor END), 0)"
                " FROM payments_payment WHERE state = 'posted' AND %s IN (wallet_to_id, wallet_from_id)",
                wallet,
                wallet,
            )[0][0]
            ((posted, held),) = self.rows("SELECT posted, held FROM ledger_account WHERE id = %s", person["account"])
            if (int(expected), 0) != (posted, held):
                problems.append(f"{person['handle']} has {posted} ({held} held), their payments make {expected}")
        return problems

    def _bills(self, bills: int) -> list[str]:
        """Every bill was due once and is paid once."""
        paid = self.rows(
            "SELECT bill_id, count(*) FROM payments_billrun JOIN payments_payment p ON p.id = payment_id"
            " WHERE p.state = 'posted' AND payments_billrun.state = 'paid' GROUP BY bill_id"
        )
        if len(paid) == bills and all(number == 1 for _, number in paid):
            return []
        return [f"{len(paid)} of {bills} bills are paid; paid more than once: {[str(bill) for bill, number in paid if number > 1]}"]

    def counts(self) -> dict[str, int]:
        return {
            f"{kind} {state}": number
            for kind, state, number in self.rows("SELECT kind, state, count(*) FROM payments_payment GROUP BY 1, 2")
        }
