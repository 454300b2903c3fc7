"""What every part of the sandbox shares: its settings, its state and its time."""

import threading
from dataclasses import dataclass, field

from sandbox.clock import Clock
from sandbox.config import Config
from sandbox.store import Store


@dataclass
class World:
    config: Config
    clock: Clock
    store: Store
    # Set after every commit: there may be a webhook to send.
    wake: threading.Event
    # Held while a webhook is on its way.
    sending: threading.Lock = field(default_factory=threading.Lock)
    stopping: threading.Event = field(default_factory=threading.Event)


_world: World | None = None


def world_make(config: Config) -> World:
    global _world
    wake = threading.Event()
    _world = World(config=config, clock=Clock(config.clock_database_url), store=Store(config.state, on_commit=wake.set), wake=wake)
    return _world


def world() -> World:
    if _world is None:
        raise RuntimeError("the sandbox has not been started")
    return _world
