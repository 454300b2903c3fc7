-- What the ledger is measured against. Neither checks anything, refuses anything or can be called twice.

-- The same rows as the ledger writes, with the same keys and indexes: a price tag on the checks and guards alone.
CREATE TABLE bench_account (LIKE ledger_account INCLUDING DEFAULTS INCLUDING IDENTITY, PRIMARY KEY (id)) WITH (fillfactor = 50);
CREATE TABLE bench_transfer (LIKE ledger_transfer INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES);
CREATE TABLE bench_entry (LIKE ledger_entry INCLUDING INDEXES);

CREATE FUNCTION bench_minimum(
    p_key uuid, p_hash bigint, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text, p_now timestamptz, p_meta jsonb
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS
$$
DECLARE
    d_seq bigint;
    d_posted bigint;
    c_seq bigint;
    c_posted bigint;
    v_id bigint;
BEGIN
    UPDATE bench_account SET posted = posted - p_amount, seq = seq + 1 WHERE id = p_debit RETURNING seq, posted INTO d_seq, d_posted;
    UPDATE bench_account SET posted = posted + p_amount, seq = seq + 1 WHERE id = p_credit RETURNING seq, posted INTO c_seq, c_posted;
    INSERT INTO bench_transfer (key, request_hash, debit, credit, amount, created_at, kind, currency, meta)
    VALUES (p_key, p_hash, p_debit, p_credit, p_amount, p_now, 'posted', p_currency, p_meta) RETURNING id INTO v_id;
    INSERT INTO bench_entry (account, seq, transfer, amount, balance, created_at, currency)
    VALUES (p_debit, d_seq, v_id, -p_amount, d_posted, p_now, p_currency), (p_credit, c_seq, v_id, p_amount, c_posted, p_now, p_currency);
    RETURN v_id;
END
$$;

-- The same rows of many transfers at once, keys and indexes too, but nothing about balances.
CREATE TABLE bench_raw_entry (LIKE ledger_entry INCLUDING INDEXES);

CREATE FUNCTION bench_raw(
    p_keys uuid[], p_hashes bigint[], p_debits bigint[], p_credits bigint[], p_amounts bigint[], p_currencies text[], p_now timestamptz,
    p_metas text[]
) RETURNS void LANGUAGE sql SECURITY DEFINER AS
$$
    WITH made AS (
        INSERT INTO bench_transfer (key, request_hash, debit, credit, amount, created_at, kind, currency, meta)
        SELECT key, hash, debit, credit, amount, p_now, 'posted', currency, meta::jsonb
        FROM unnest(p_keys, p_hashes, p_debits, p_credits, p_amounts, p_currencies, p_metas)
            AS i (key, hash, debit, credit, amount, currency, meta)
        RETURNING id, debit, credit, amount, currency
    )
    INSERT INTO bench_raw_entry (account, seq, transfer, amount, balance, created_at, currency)
    SELECT debit, id, id, -amount, 0, p_now, currency FROM made
    UNION ALL SELECT credit, id, id, amount, 0, p_now, currency FROM made
$$;

-- The barest double entry there is: no key, no history, no running balance, narrow rows appended in order.
CREATE TABLE bench_bare_account (id bigint PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE bench_bare_transfer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, debit bigint NOT NULL, credit bigint NOT NULL, amount bigint NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE bench_bare_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, transfer bigint NOT NULL, account bigint NOT NULL, amount bigint NOT NULL
);

CREATE FUNCTION bench_bare(p_debit bigint, p_credit bigint, p_amount bigint, p_now timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER AS
$$
DECLARE
    v_id bigint;
BEGIN
    UPDATE bench_bare_account SET balance = balance - p_amount WHERE id = p_debit;
    UPDATE bench_bare_account SET balance = balance + p_amount WHERE id = p_credit;
    INSERT INTO bench_bare_transfer (debit, credit, amount, created_at) VALUES (p_debit, p_credit, p_amount, p_now) RETURNING id INTO v_id;
    INSERT INTO bench_bare_entry (transfer, account, amount) VALUES (v_id, p_debit, -p_amount), (v_id, p_credit, p_amount);
    RETURN v_id;
END
$$;

-- Accounts 1 to 10,000, the same for all three.
INSERT INTO ledger_account (posted, floor, last_at, opened_at, kind, currency)
SELECT 0, -1000000000000, '2026-01-01Z', '2026-01-01Z', 'guarded', 'EUR' FROM generate_series(1, 10000);
INSERT INTO bench_account (posted, floor, last_at, opened_at, kind, currency)
SELECT posted, floor, last_at, opened_at, kind, currency FROM ledger_account ORDER BY id;
INSERT INTO bench_bare_account SELECT id, 0 FROM ledger_account ORDER BY id;
