"""What goes on while nobody asks: webhooks are sent, slow payments settle, sessions expire. Everything waiting is a row."""

import logging
import threading
import time
from collections.abc import Callable

from sandbox.bank.transfers import transfers_settle_due
from sandbox.stripe.checkout import intents_settle_due, sessions_expire_due
from sandbox.stripe.refunds import refunds_settle_due
from sandbox.stripe.webhooks import delivery_send_next, seconds_to_next
from sandbox.world import World

logger = logging.getLogger(__name__)

IDLE_SECONDS = 5.0
SETTLE_TICK_SECONDS = 0.5
AFTER_ERROR_SECONDS = 1.0

# Payments and refunds wait in real time, sessions expire by the hub's.
DUE = """
SELECT EXISTS (SELECT 1 FROM stripe_object WHERE kind IN ('payment_intent', 'refund') AND due_at <= ?)
    OR EXISTS (SELECT 1 FROM stripe_object WHERE kind = 'checkout.session' AND due_at <= ?)
    OR EXISTS (SELECT 1 FROM bank_transfer WHERE due_at <= ?)
"""


class Worker:
    """Two threads: a hub that answers slowly delays its own webhooks, never a settlement."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._threads = [
            threading.Thread(target=self._loop, args=(step,), name=name, daemon=True)
            for name, step in (("webhooks", self._send), ("settlement", self._settle))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._world.stopping.set()
        self._world.wake.set()
        for thread in self._threads:
            thread.join(timeout=2)

    def _loop(self, step: Callable[[], None]) -> None:
        while not self._world.stopping.is_set():
            try:
                step()
            except Exception:
                logger.exception("background step failed")
                self._world.stopping.wait(AFTER_ERROR_SECONDS)

    def _send(self) -> None:
        self._world.wake.clear()
        while not self._world.stopping.is_set() and delivery_send_next(self._world):
            pass
        wait = seconds_to_next(self._world)
        self._world.wake.wait(IDLE_SECONDS if wait is None else min(wait, IDLE_SECONDS))

    def _settle(self) -> None:
        settle(self._world, until=time.time())
        self._world.stopping.wait(SETTLE_TICK_SECONDS)


def settle(world: World, *, until: float) -> int:
    """Carry on what was to happen by the real time `until`, and expire sessions by the hub's time."""
    with world.store.reading() as db:
        due = db.execute(DUE, (until, world.clock.now().timestamp(), until)).fetchone()[0]
    if not due:
        return 0
    with world.store.writing() as db:
        done = intents_settle_due(db, world, until=until) + refunds_settle_due(db, world, until=until)
        done += transfers_settle_due(db, world, until=until)
        return done + sessions_expire_due(db, world)
