"""
The sandbox's state: one SQLite file. A change is committed before anybody hears of it,
so a killed sandbox starts again with everything it had promised.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    parent TEXT,
    created INTEGER NOT NULL,
    due_at REAL,
    body TEXT NOT NULL,
    private TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS stripe_object_kind ON stripe_object (kind, seq);
CREATE INDEX IF NOT EXISTS stripe_object_parent ON stripe_object (parent, kind) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS stripe_object_due ON stripe_object (kind, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS stripe_answer (
    key TEXT NOT NULL,
    account TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    request_id TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) STRICT;
CREATE INDEX IF NOT EXISTS stripe_answer_created ON stripe_answer (created);

CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'delivered', 'lost', 'dead', 'forged')),
    -- A forgery's own words; NULL sends the event.
    forgery TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL,
    last_at REAL,
    last_status INTEGER,
    last_error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due_at, id) WHERE state = 'due';
CREATE INDEX IF NOT EXISTS delivery_event ON delivery (event_id);

CREATE TABLE IF NOT EXISTS bank_transfer (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    iban TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('accepted', 'settled', 'returned')),
    -- Why it is (or will be) returned; empty otherwise.
    outcome TEXT NOT NULL,
    due_at REAL,
    created_at TEXT NOT NULL,
    decided_at TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS bank_transfer_due ON bank_transfer (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS fault (
    place TEXT PRIMARY KEY,
    mode TEXT NOT NULL,
    seconds REAL NOT NULL,
    remaining INTEGER
) STRICT;

CREATE TABLE IF NOT EXISTS endpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    url TEXT NOT NULL,
    secret TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('email', 'sms')),
    client_id TEXT UNIQUE,
    recipient TEXT NOT NULL,
    sender TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS message_recipient ON message (recipient, id);
"""

TABLES = ("stripe_object", "stripe_answer", "delivery", "bank_transfer", "fault", "endpoint", "message")


class Store:
    """One connection behind one lock: SQLite has one writer anyway, and the sandbox has few readers."""

    def __init__(self, folder: Path, on_commit: Callable[[], None] = lambda: None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._on_commit = on_commit
        self._db = sqlite3.connect(folder / "sandbox.sqlite3", check_same_thread=False, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        self._on_commit()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._db

    def clear(self) -> None:
        with self.writing() as db:
            for table in TABLES:
                db.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        with self._lock:
            self._db.close()
