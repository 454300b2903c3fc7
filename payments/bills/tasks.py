"""Due work of bills."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core import clock, due
from core.models import DueWork
from payments.bills import services


@due.worker("payments.bill_run", bulk=True)
def bill_run(work: DueWork) -> datetime | None:
    return services.bill_run(bill_id=UUID(work.data["bill_id"]), period=work.data["period"], now=clock.now())


@due.batch_worker("payments.bill_run")
def bill_runs(works: Sequence[DueWork]) -> set[UUID]:
    wanted = {(UUID(work.data["bill_id"]), work.data["period"]): work.id for work in works}
    return {wanted[run] for run in services.bill_runs(wanted=wanted, now=clock.now())}


@due.worker("payments.bill_expire")
def bill_expire(work: DueWork) -> datetime | None:
    services.bill_expire(bill_id=UUID(work.data["bill_id"]), now=clock.now())
    return None
