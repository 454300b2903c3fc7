-- The ledger's tables. Written only through the functions beside this file; docs/ledger.md tells why each column is as it is.
-- Amounts are minor units of the row's currency. Column order keeps rows free of alignment holes, and an account's id has four
-- bytes (two billion accounts): a transfer with its two entries and all indexes has to fit in 480 bytes.

CREATE TYPE ledger_account_kind AS ENUM ('guarded', 'accumulating');
CREATE TYPE ledger_account_state AS ENUM ('open', 'closed', 'archived');
CREATE TYPE ledger_transfer_kind AS ENUM ('posted', 'pending', 'capture', 'void', 'reversal');
CREATE TYPE ledger_hold_state AS ENUM ('open', 'captured', 'voided', 'expired');
-- A domain, not a CHECK of the table: PostgreSQL reads a table's CHECK anew for every statement (1.5 to 3 us each here), a
-- domain's once per session. For the same reason the one CHECK on ledger_account is as short as can be.
CREATE DOMAIN ledger_amount AS bigint CHECK (VALUE > 0);

-- Half of each page stays free so that an update finds room beside the old row and touches no index.
CREATE TABLE ledger_account (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    posted bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    seq bigint NOT NULL DEFAULT 0,
    last_at timestamptz NOT NULL,
    floor bigint NOT NULL DEFAULT 0,
    ceiling bigint NOT NULL DEFAULT 4000000000000000000,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    kind ledger_account_kind NOT NULL,
    state ledger_account_state NOT NULL DEFAULT 'open',
    currency text COLLATE "C" NOT NULL,
    code text COLLATE "C",
    CONSTRAINT ledger_account_covered CHECK (posted - held >= floor)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX ledger_account_code ON ledger_account (code, currency) WHERE code IS NOT NULL;

CREATE TABLE ledger_transfer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    debit integer NOT NULL,
    credit integer NOT NULL,
    amount ledger_amount NOT NULL,
    created_at timestamptz NOT NULL,
    request_hash bigint NOT NULL,
    key uuid NOT NULL,
    kind ledger_transfer_kind NOT NULL,
    currency text COLLATE "C" NOT NULL,
    origin bigint,
    effective_at timestamptz,
    meta jsonb,
    CONSTRAINT ledger_transfer_key UNIQUE (key)
);
CREATE INDEX ledger_transfer_origin ON ledger_transfer (origin) WHERE origin IS NOT NULL;

CREATE TABLE ledger_entry (
    seq bigint NOT NULL,
    transfer bigint NOT NULL,
    amount bigint NOT NULL,
    balance bigint,
    created_at timestamptz NOT NULL,
    account integer NOT NULL,
    currency text COLLATE "C" NOT NULL,
    PRIMARY KEY (account, seq)
);

CREATE TABLE ledger_hold (
    id bigint PRIMARY KEY,
    account integer NOT NULL,
    amount bigint NOT NULL,
    remaining bigint NOT NULL,
    expires_at timestamptz,
    state ledger_hold_state NOT NULL DEFAULT 'open',
    CONSTRAINT ledger_hold_remaining CHECK (remaining BETWEEN 0 AND amount AND (state = 'open') = (remaining > 0))
) WITH (fillfactor = 80);
CREATE INDEX ledger_hold_open ON ledger_hold (account, id) WHERE state = 'open';
