-- Moving money. Every function answers with a code ('ok' or the reason of a refusal) instead of raising, so that a
-- refusal leaves the caller's transaction usable and no savepoint is needed. Time is an argument.

CREATE TYPE ledger_answer AS (code text, transfer bigint, created_at timestamptz, replayed boolean);

-- What a key has already done, or the refusal of a new one.
CREATE FUNCTION _ledger_answer(p_key uuid, p_hash bigint, p_code text) RETURNS ledger_answer
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    v_answer ledger_answer;
BEGIN
    SELECT CASE WHEN request_hash = p_hash THEN 'ok' ELSE 'idempotency_conflict' END, id, created_at, true
    INTO v_answer FROM ledger_transfer WHERE key = p_key;
    IF NOT FOUND THEN
        v_answer.code := p_code;
    ELSIF v_answer.code <> 'ok' THEN
        v_answer.transfer := NULL;
    END IF;
    RETURN v_answer;
END
$$;

-- Why an account took no movement of `p_change` (negative: money out) of a currency. Null: it is an accumulating account,
-- which has no balance to guard and takes everything.
CREATE FUNCTION _ledger_refusal(p_account bigint, p_currency text, p_change bigint) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    a ledger_account;
BEGIN
    SELECT * INTO a FROM ledger_account WHERE id = p_account;
    RETURN CASE
        WHEN a.id IS NULL THEN 'account_unknown'
        WHEN a.state <> 'open' THEN 'account_closed'
        WHEN a.currency <> p_currency THEN 'currency_mismatch'
        WHEN a.kind = 'accumulating' THEN NULL
        WHEN p_change < 0 THEN 'insufficient_funds'
        ELSE 'ceiling_exceeded'
    END;
END
$$;

-- Takes back the balance changes of a movement that is refused after all; an account that was not changed has no seq.
CREATE FUNCTION _ledger_undo(p_debit bigint, d_seq bigint, p_credit bigint, c_seq bigint, p_amount bigint, p_release bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    IF d_seq IS NOT NULL THEN
        UPDATE ledger_account SET posted = posted + p_amount, held = held + p_release, seq = seq - 1 WHERE id = p_debit;
    END IF;
    IF c_seq IS NOT NULL THEN
        UPDATE ledger_account SET posted = posted - p_amount, seq = seq - 1 WHERE id = p_credit;
    END IF;
END
$$;

-- The one writer of entries. The balances are changed first, the lower account id first (so that two calls never wait for
-- each other in a circle), and the conditions stand in the UPDATE itself: what is possible costs two updates and two
-- inserts and nothing else. What turns out to be refused is taken back by a second update: the rows are locked, nobody has
-- seen the first. `p_release` is the part of a hold that this movement uses up.
-- Each IF and assignment is prepared anew in every transaction (1 to 2 us), hence so few of them on the straight path.
CREATE FUNCTION _ledger_move(
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
    v_id bigint;
    v_at timestamptz;
    v_code text;
BEGIN
    IF p_debit < p_credit AND p_amount BETWEEN 1 AND 1000000000000000 THEN
        UPDATE ledger_account SET posted = posted - p_amount, held = held - p_release, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_debit AND posted - held + p_release - p_amount >= floor
          AND state = 'open' AND kind = 'guarded' AND currency = p_currency
        RETURNING seq, posted, last_at INTO d_seq, d_posted, d_at;
        UPDATE ledger_account SET posted = posted + p_amount, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_credit AND posted + p_amount <= ceiling
          AND state = 'open' AND kind = 'guarded' AND currency = p_currency
        RETURNING seq, posted, last_at INTO c_seq, c_posted, c_at;
    ELSIF p_debit > p_credit AND p_amount BETWEEN 1 AND 1000000000000000 THEN
        UPDATE ledger_account SET posted = posted + p_amount, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_credit AND posted + p_amount <= ceiling
          AND state = 'open' AND kind = 'guarded' AND currency = p_currency
        RETURNING seq, posted, last_at INTO c_seq, c_posted, c_at;
        UPDATE ledger_account SET posted = posted - p_amount, held = held - p_release, seq = seq + 1, last_at = greatest(last_at, p_now)
        WHERE id = p_debit AND posted - held + p_release - p_amount >= floor
          AND state = 'open' AND kind = 'guarded' AND currency = p_currency
        RETURNING seq, posted, last_at INTO d_seq, d_posted, d_at;
    ELSE
        v_code := CASE WHEN p_debit = p_credit THEN 'same_account' ELSE 'amount_invalid' END;
    END IF;
    IF d_seq IS NULL OR c_seq IS NULL THEN
        v_code := coalesce(
            v_code,
            CASE WHEN d_seq IS NULL THEN _ledger_refusal(p_debit, p_currency, -p_amount) END,
            CASE WHEN c_seq IS NULL THEN _ledger_refusal(p_credit, p_currency, p_amount) END
        );
        IF v_code IS NOT NULL THEN
            PERFORM _ledger_undo(p_debit, d_seq, p_credit, c_seq, p_amount, p_release);
            RETURN _ledger_answer(p_key, p_hash, v_code);
        END IF;
    END IF;
    INSERT INTO ledger_transfer (key, request_hash, debit, credit, amount, created_at, kind, currency, origin, effective_at, meta)
    VALUES (p_key, p_hash, p_debit, p_credit, p_amount, coalesce(greatest(d_at, c_at), p_now), p_kind, p_currency, p_origin, p_effective, p_meta)
    ON CONFLICT (key) DO NOTHING RETURNING id, created_at INTO v_id, v_at;
    IF v_id IS NULL OR d_at <> c_at THEN
        IF v_id IS NULL THEN
            PERFORM _ledger_undo(p_debit, d_seq, p_credit, c_seq, p_amount, p_release);
            RETURN _ledger_answer(p_key, p_hash, NULL);
        END IF;
        -- Callers' clocks differ a little: both accounts' histories carry the later moment.
        UPDATE ledger_account SET last_at = v_at WHERE id = CASE WHEN d_at < c_at THEN p_debit ELSE p_credit END;
    END IF;
    INSERT INTO ledger_entry (account, seq, transfer, amount, balance, created_at, currency)
    VALUES (p_debit, coalesce(d_seq, v_id), v_id, -p_amount, d_posted, v_at, p_currency),
           (p_credit, coalesce(c_seq, v_id), v_id, p_amount, c_posted, v_at, p_currency);
    RETURN ('ok', v_id, v_at, false)::ledger_answer;
END
$$;

-- ledger_post is _ledger_move for kind 'posted', with its body written out: the call of a second function in every
-- transfer would cost several percent of it.
DO $$
BEGIN
    EXECUTE format(
        $create$
        CREATE FUNCTION ledger_post(
            p_key uuid, p_hash bigint, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text, p_now timestamptz,
            p_effective timestamptz DEFAULT NULL, p_meta jsonb DEFAULT NULL
        ) RETURNS ledger_answer
            LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS %L
        $create$,
        (SELECT replace(replace(replace(replace(replace(prosrc,
            ' held = held - p_release,', ''), ' + p_release', ''), 'p_release', '0'), 'p_kind', '''posted'''), 'p_origin', 'NULL')
         FROM pg_proc WHERE oid = 'public._ledger_move'::regproc)
    );
END
$$;
