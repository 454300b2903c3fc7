"""Whole transfers through the payments service: payee, limits, approval's exemption, ledger, timeline and event in one transaction."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from uuid import UUID

from bench import ledger as ledger_bench
from bench.clients import throughput
from bench.rows import Row, beside

PEOPLE = 40
_PEER = f"{ledger_bench.SAME_ROWS}, plain SQL"


def rows(*, quick: bool = False) -> Iterator[Row]:
    from django.db import connections

    from bench.people import person_with
    from core.money import Money

    rounds, seconds = (2, 1.0) if quick else (5, 3.0)
    ledger_bench.prepare()
    people = [person_with(Money(500_000, "EUR"), name=f"Bench Person {number}") for number in range(PEOPLE)]
    for person, _wallet in people:
        _handle(person)
    connections.close_all()
    sender = _sender([(person.id, wallet.id) for person, wallet in people])
    for processes in (1, 4):
        speeds: dict[str, list[float]] = defaultdict(list)
        for _ in range(rounds):
            speeds["service"].append(throughput(sender, processes=processes, seconds=seconds))
            speeds["minimum"].append(throughput(ledger_bench.minimum, processes=processes, seconds=seconds))
        yield beside(
            f"api.transfer.django{processes}", "transfers/s", speeds["service"], f"{ledger_bench.SAME_ROWS}, plain SQL", speeds["minimum"]
        )


def _handle(person: object) -> None:
    from accounts import services
    from accounts.models import Person
    from core import clock
    from core.db import SYSTEM, scope

    assert isinstance(person, Person)
    with scope(SYSTEM):
        services.handle_set(by=person, party_id=person.party_id, handle=f"b{person.id.hex[-16:]}", now=clock.now())


def _sender(people: list[tuple[UUID, UUID]]) -> Callable[[int], Callable[[], object]]:
    def client(seed: int) -> Callable[[], object]:
        from django.db import connections

        from accounts.models import Person
        from core import clock
        from core.db import scope
        from core.ids import uuid7
        from core.money import Money
        from payments import services

        connections.close_all()
        choose = random.Random(seed)
        known = Person.objects.select_related("party").in_bulk([person for person, _wallet in people])
        wallets = dict(people)

        def call() -> object:
            source, target = choose.sample(list(known.values()), 2)
            with scope(source.party_id):
                return services.transfer_send(
                    by=source,
                    party_id=source.party_id,
                    source_wallet_id=wallets[source.id],
                    payee=f"@b{target.id.hex[-16:]}",
                    amount=Money(1, "EUR"),
                    note="",
                    idempotency_key=str(uuid7()),
                    now=clock.now(),
                )

        return call

    return client
