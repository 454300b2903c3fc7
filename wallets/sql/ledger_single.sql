-- The way of one transfer, replacing what ledger_post.sql made. Loaded after it; the answers are the same.
--
-- What a single transfer pays for, counted in instructions: each statement's start, each operator in a condition (its look-up
-- and permission check come anew with every start), and above all a CHECK of ledger_account, which is parsed again for every
-- UPDATE (7 % of a transfer). Hence the conditions stand in the UPDATE only, as few as can be, and ledger_verify reads what the
-- CHECK said (account_floor).
ALTER TABLE ledger_account DROP CONSTRAINT IF EXISTS ledger_account_covered;

-- An account that takes part in no balance has floor and ceiling 0 and posts nothing: no UPDATE of a movement can match it, and
-- none needs to ask for its kind and state. So are accumulating accounts from the start, and closed ones.
UPDATE ledger_account SET floor = 0, ceiling = 0 WHERE (kind = 'accumulating' OR state <> 'open') AND (floor, ceiling) <> (0, 0);

-- With a code: the account of that code and currency, made if it is not there. Without: a new account.
-- Null when an account of that code and currency exists with the other kind.
CREATE OR REPLACE FUNCTION ledger_account_open(
    p_currency text, p_kind ledger_account_kind, p_now timestamptz, p_code text DEFAULT NULL,
    p_floor bigint DEFAULT 0, p_ceiling bigint DEFAULT 4000000000000000000
) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    v_id bigint;
BEGIN
    IF p_currency !~ '^[A-Z]{3}$' OR abs(p_floor) > 4000000000000000000 OR abs(p_ceiling) > 4000000000000000000 THEN
        RAISE EXCEPTION 'ledger: bad account' USING ERRCODE = 'check_violation';
    END IF;
    IF p_kind = 'accumulating' THEN
        p_floor := 0;
        p_ceiling := 0;
    END IF;
    IF p_code IS NOT NULL THEN
        SELECT id INTO v_id FROM ledger_account WHERE code = p_code AND currency = p_currency;
    END IF;
    IF v_id IS NULL THEN
        INSERT INTO ledger_account (currency, kind, code, floor, ceiling, opened_at, last_at)
        VALUES (p_currency, p_kind, p_code, p_floor, p_ceiling, p_now, p_now)
        ON CONFLICT (code, currency) WHERE code IS NOT NULL DO NOTHING RETURNING id INTO v_id;
        IF v_id IS NOT NULL THEN
            RETURN v_id;
        END IF;
    END IF;
    RETURN (SELECT id FROM ledger_account WHERE code = p_code AND currency = p_currency AND kind = p_kind);
END
$$;

-- Only an account that holds nothing can be closed. An accumulating account takes no lock while money moves, so a call
-- that runs at the same moment may still land on it; close one only when nothing uses it any more.
CREATE OR REPLACE FUNCTION ledger_account_close(p_account bigint, p_now timestamptz) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    a ledger_account;
BEGIN
    SELECT * INTO a FROM ledger_account WHERE id = p_account FOR UPDATE;
    IF a.id IS NULL THEN
        RETURN 'account_unknown';
    ELSIF a.state <> 'open' THEN
        RETURN 'account_closed';
    ELSIF a.posted <> 0 OR a.held <> 0
        OR a.kind = 'accumulating' AND (SELECT coalesce(sum(e.amount), 0) <> 0 FROM ledger_entry e WHERE e.account = p_account) THEN
        RETURN 'balance_not_zero';
    END IF;
    UPDATE ledger_account SET state = 'closed', closed_at = p_now, floor = 0, ceiling = 0 WHERE id = p_account;
    RETURN 'ok';
END
$$;

-- A closed account that is only kept for its history, so that lists can leave it out. There is no way back.
CREATE OR REPLACE FUNCTION ledger_account_archive(p_account bigint) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    v_state ledger_account_state;
BEGIN
    SELECT state INTO v_state FROM ledger_account WHERE id = p_account FOR UPDATE;
    IF v_state IS NULL THEN
        RETURN 'account_unknown';
    ELSIF v_state = 'open' THEN
        RETURN 'account_open';
    END IF;
    UPDATE ledger_account SET state = 'archived' WHERE id = p_account AND state = 'closed';
    RETURN 'ok';
END
$$;

-- One sum per currency over the statement's own rows. It runs as whoever inserts: only the owner can, and a SET of its own
-- would cost as much as the sum.
CREATE OR REPLACE FUNCTION _ledger_refuse_unbalanced() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM FROM added GROUP BY currency HAVING sum(amount) <> 0;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger: entries do not sum to zero' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;
DROP TRIGGER ledger_entry_balanced ON ledger_entry;
CREATE TRIGGER ledger_entry_balanced AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION _ledger_refuse_unbalanced();
DROP FUNCTION IF EXISTS ledger_refuse_unbalanced();

-- What remains to be done after the balances were changed, in every case that is not the plain one: an account that was not
-- changed (refused, or accumulating), clocks that differ, a key that was used before.
CREATE OR REPLACE FUNCTION _ledger_finish(
    p_key uuid, p_hash bigint, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text, p_now timestamptz,
    p_effective timestamptz, p_meta jsonb, p_kind ledger_transfer_kind, p_origin bigint, p_release bigint,
    d_seq bigint, d_posted bigint, d_at timestamptz, c_seq bigint, c_posted bigint, c_at timestamptz
) RETURNS ledger_answer
    LANGUAGE plpgsql VOLATILE AS
$$
DECLARE
    v_id bigint;
    v_at timestamptz := coalesce(greatest(d_at, c_at), p_now);
    v_code text := CASE
        WHEN p_debit = p_credit THEN 'same_account'
        WHEN p_amount BETWEEN 1 AND 1000000000000000 THEN NULL
        ELSE 'amount_invalid'
    END;
BEGIN
    IF v_code IS NULL AND (d_seq IS NULL OR c_seq IS NULL) THEN
        -- Nearly always one of the two is an accumulating account.
        PERFORM FROM ledger_account WHERE id = CASE WHEN d_seq IS NULL THEN p_debit ELSE p_credit END
            AND kind = 'accumulating' AND state = 'open' AND currency = p_currency;
        IF NOT FOUND OR d_seq IS NULL AND c_seq IS NULL THEN
            v_code := coalesce(
                CASE WHEN d_seq IS NULL THEN _ledger_refusal(p_debit, p_currency, -p_amount) END,
                CASE WHEN c_seq IS NULL THEN _ledger_refusal(p_credit, p_currency, p_amount) END
            );
        END IF;
    END IF;
    IF v_code IS NULL THEN
        INSERT INTO ledger_transfer (key, request_hash, debit, credit, amount, created_at, kind, currency, origin, effective_at, meta)
        VALUES (p_key, p_hash, p_debit, p_credit, p_amount, v_at, p_kind, p_currency, p_origin, p_effective, p_meta)
        ON CONFLICT (key) DO NOTHING RETURNING id INTO v_id;
    END IF;
    IF v_id IS NULL THEN
        PERFORM _ledger_undo(p_debit, d_seq, p_credit, c_seq, p_amount, p_release);
        RETURN _ledger_answer(p_key, p_hash, v_code);
    END IF;
    IF d_at <> c_at THEN
        -- Callers' clocks differ a little: both accounts' histories carry the later moment.
        UPDATE ledger_account SET last_at = v_at WHERE id = CASE WHEN d_at < c_at THEN p_debit ELSE p_credit END;
    END IF;
    INSERT INTO ledger_entry (account, seq, transfer, amount, balance, created_at, currency)
    VALUES (p_debit, coalesce(d_seq, v_id), v_id, -p_amount, d_posted, v_at, p_currency),
           (p_credit, coalesce(c_seq, v_id), v_id, p_amount, c_posted, v_at, p_currency);
    RETURN ('ok', v_id, v_at, false)::ledger_answer;
END
$$;

-- The balances are changed first, the lower account id first (so that two calls never wait for each other in a circle), and
-- the conditions stand in the UPDATE itself. What turns out to be refused is taken back by a second update: the rows are
-- locked, nobody has seen the first. `p_release` is the part of a hold that this movement uses up.
CREATE OR REPLACE FUNCTION _ledger_move(
    p_key uuid, p_hash bigint, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text, p_now timestamptz,
    p_effective timestamptz, p_meta jsonb, p_kind ledger_transfer_kind, p_origin bigint, p_release bigint
) RETURNS ledger_answer
    LANGUAGE plpgsql VOLATILE AS
$$
DECLARE
    d_seq bigint;
    d_posted bigint;
    d_at timestamptz;
    c_seq bigint;
    c_posted bigint;
    c_at timestamptz;
BEGIN
    IF p_debit > p_credit AND p_amount BETWEEN 1 AND 1000000000000000 THEN
        UPDATE ledger_account SET posted = posted + p_amount, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_credit AND posted + p_amount <= ceiling AND currency = p_currency
        RETURNING seq, posted, last_at INTO c_seq, c_posted, c_at;
    END IF;
    IF p_debit <> p_credit AND p_amount BETWEEN 1 AND 1000000000000000 THEN
        UPDATE ledger_account SET posted = posted - p_amount, held = held - p_release, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_debit AND posted - held + p_release - p_amount >= floor AND currency = p_currency
        RETURNING seq, posted, last_at INTO d_seq, d_posted, d_at;
    END IF;
    IF p_debit < p_credit AND p_amount BETWEEN 1 AND 1000000000000000 THEN
        UPDATE ledger_account SET posted = posted + p_amount, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_credit AND posted + p_amount <= ceiling AND currency = p_currency
        RETURNING seq, posted, last_at INTO c_seq, c_posted, c_at;
    END IF;
    RETURN _ledger_finish(
        p_key, p_hash, p_debit, p_credit, p_amount, p_currency, p_now, p_effective, p_meta, p_kind, p_origin, p_release,
        d_seq, d_posted, d_at, c_seq, c_posted, c_at
    );
END
$$;

-- The same for kind 'posted', written out: the plain case (two guarded accounts, a new key) is two updates and two inserts
-- in one function. Each IF and assignment is prepared anew in every transaction (1 to 2 us), hence so few of them.
CREATE OR REPLACE FUNCTION ledger_post(
    p_key uuid, p_hash bigint, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text, p_now timestamptz,
    p_effective timestamptz DEFAULT NULL, p_meta jsonb DEFAULT NULL
) RETURNS ledger_answer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    d_seq bigint;
    d_posted bigint;
    d_at timestamptz;
    c_seq bigint;
    c_posted bigint;
    c_at timestamptz;
    v_id bigint;
BEGIN
    IF p_debit < p_credit AND p_amount BETWEEN 1 AND 1000000000000000 THEN
        UPDATE ledger_account SET posted = posted - p_amount, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_debit AND posted - held - p_amount >= floor AND currency = p_currency
        RETURNING seq, posted, last_at INTO d_seq, d_posted, d_at;
        UPDATE ledger_account SET posted = posted + p_amount, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_credit AND posted + p_amount <= ceiling AND currency = p_currency
        RETURNING seq, posted, last_at INTO c_seq, c_posted, c_at;
    ELSIF p_debit > p_credit AND p_amount BETWEEN 1 AND 1000000000000000 THEN
        UPDATE ledger_account SET posted = posted + p_amount, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_credit AND posted + p_amount <= ceiling AND currency = p_currency
        RETURNING seq, posted, last_at INTO c_seq, c_posted, c_at;
        UPDATE ledger_account SET posted = posted - p_amount, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_debit AND posted - held - p_amount >= floor AND currency = p_currency
        RETURNING seq, posted, last_at INTO d_seq, d_posted, d_at;
    END IF;
    -- Both were changed, and carry the same moment.
    IF d_at = c_at THEN
        INSERT INTO ledger_transfer (key, request_hash, debit, credit, amount, created_at, kind, currency, effective_at, meta)
        VALUES (p_key, p_hash, p_debit, p_credit, p_amount, d_at, 'posted', p_currency, p_effective, p_meta)
        ON CONFLICT (key) DO NOTHING RETURNING id INTO v_id;
        IF v_id IS NOT NULL THEN
            INSERT INTO ledger_entry (account, seq, transfer, amount, balance, created_at, currency)
            VALUES (p_debit, d_seq, v_id, -p_amount, d_posted, d_at, p_currency), (p_credit, c_seq, v_id, p_amount, c_posted, d_at, p_currency);
            RETURN ('ok', v_id, d_at, false)::ledger_answer;
        END IF;
    ELSE
        -- One of the two is accumulating: entries only, no row that anybody waits for.
        PERFORM FROM ledger_account WHERE id = CASE WHEN d_at IS NULL THEN p_debit ELSE p_credit END
            AND kind = 'accumulating' AND state = 'open' AND currency = p_currency AND (d_at IS NULL) <> (c_at IS NULL);
        IF FOUND THEN
            INSERT INTO ledger_transfer (key, request_hash, debit, credit, amount, created_at, kind, currency, effective_at, meta)
            VALUES (p_key, p_hash, p_debit, p_credit, p_amount, coalesce(d_at, c_at), 'posted', p_currency, p_effective, p_meta)
            ON CONFLICT (key) DO NOTHING RETURNING id INTO v_id;
            IF v_id IS NOT NULL THEN
                INSERT INTO ledger_entry (account, seq, transfer, amount, balance, created_at, currency)
                VALUES (p_debit, coalesce(d_seq, v_id), v_id, -p_amount, d_posted, coalesce(d_at, c_at), p_currency),
                       (p_credit, coalesce(c_seq, v_id), v_id, p_amount, c_posted, coalesce(d_at, c_at), p_currency);
                RETURN ('ok', v_id, coalesce(d_at, c_at), false)::ledger_answer;
            END IF;
        END IF;
    END IF;
    RETURN _ledger_finish(
        p_key, p_hash, p_debit, p_credit, p_amount, p_currency, p_now, p_effective, p_meta, 'posted', NULL, 0,
        d_seq, d_posted, d_at, c_seq, c_posted, c_at
    );
END
$$;
