-- Two-phase movements. A hold is a transfer of kind 'pending' (no entries; its id is the hold's id) and one row that says
-- what remains. Locks are always taken hold first, then accounts by id, as ledger_post takes them.

-- The key of the follow-up that an operation makes on its own (the rest of a final capture, an expiry).
CREATE FUNCTION _ledger_key(p_of text) RETURNS uuid
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT encode(substr(sha256(convert_to(p_of, 'UTF8')), 1, 16), 'hex')::uuid $$;

CREATE FUNCTION ledger_hold(
    p_key uuid, p_hash bigint, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text, p_now timestamptz,
    p_expires timestamptz DEFAULT NULL, p_meta jsonb DEFAULT NULL
) RETURNS ledger_answer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    v_code text;
    v_id bigint;
    v_held bigint;
BEGIN
    v_code := CASE
        WHEN p_debit = p_credit THEN 'same_account'
        WHEN p_amount NOT BETWEEN 1 AND 1000000000000000 THEN 'amount_invalid'
        WHEN p_expires <= p_now THEN 'hold_expired'
        ELSE _ledger_unfit(p_credit, p_currency)
    END;
    IF v_code IS NULL THEN
        UPDATE ledger_account SET held = held + p_amount
        WHERE id = p_debit AND posted - held - p_amount >= floor AND state = 'open' AND kind = 'guarded' AND currency = p_currency
        RETURNING held INTO v_held;
        IF v_held IS NULL THEN
            v_code := coalesce(_ledger_refusal(p_debit, p_currency, -p_amount), 'account_not_guarded');
        END IF;
    END IF;
    IF v_code IS NULL THEN
        INSERT INTO ledger_transfer (key, request_hash, debit, credit, amount, created_at, kind, currency, meta)
        VALUES (p_key, p_hash, p_debit, p_credit, p_amount, p_now, 'pending', p_currency, p_meta)
        ON CONFLICT (key) DO NOTHING RETURNING id INTO v_id;
    END IF;
    IF v_id IS NULL THEN
        IF v_held IS NOT NULL THEN
            UPDATE ledger_account SET held = held - p_amount WHERE id = p_debit;
        END IF;
        RETURN _ledger_answer(p_key, p_hash, v_code);
    END IF;
    INSERT INTO ledger_hold (id, account, amount, remaining, expires_at) VALUES (v_id, p_debit, p_amount, p_amount, p_expires);
    RETURN ('ok', v_id, p_now, false)::ledger_answer;
END
$$;

-- Gives back what remains of a hold whose row the caller has locked.
CREATE FUNCTION _ledger_release(
    p_key uuid, p_hash bigint, p_hold bigint, p_state ledger_hold_state, p_now timestamptz, p_meta jsonb
) RETURNS ledger_answer
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    h ledger_hold;
    v_id bigint;
BEGIN
    SELECT * INTO h FROM ledger_hold WHERE id = p_hold;
    INSERT INTO ledger_transfer (key, request_hash, debit, credit, amount, created_at, kind, currency, origin, meta)
    SELECT p_key, p_hash, t.debit, t.credit, h.remaining, p_now, 'void', t.currency, p_hold, p_meta
    FROM ledger_transfer t WHERE t.id = p_hold
    ON CONFLICT (key) DO NOTHING RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        RETURN _ledger_answer(p_key, p_hash, NULL);
    END IF;
    UPDATE ledger_account SET held = held - h.remaining WHERE id = h.account;
    UPDATE ledger_hold SET remaining = 0, state = p_state WHERE id = p_hold;
    RETURN ('ok', v_id, p_now, false)::ledger_answer;
END
$$;

-- What is wrong with using a hold now; null: nothing. An expired hold is refused even before it has been swept.
CREATE FUNCTION _ledger_hold_refusal(h ledger_hold, p_now timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT CASE
        WHEN (h).id IS NULL THEN 'hold_unknown'
        WHEN (h).state = 'expired' OR (h).state = 'open' AND (h).expires_at <= p_now THEN 'hold_expired'
        WHEN (h).state <> 'open' THEN 'hold_closed'
    END
$$;

-- Moves a part of a hold, or what remains when p_amount is null. p_final gives back the rest in the same call.
CREATE FUNCTION ledger_capture(
    p_key uuid, p_hash bigint, p_hold bigint, p_amount bigint, p_currency text, p_final boolean, p_now timestamptz,
    p_effective timestamptz DEFAULT NULL, p_meta jsonb DEFAULT NULL
) RETURNS ledger_answer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    h ledger_hold;
    t ledger_transfer;
    v_code text;
    v_amount bigint;
    v_answer ledger_answer;
    v_rest ledger_answer;
BEGIN
    SELECT * INTO h FROM ledger_hold WHERE id = p_hold FOR UPDATE;
    v_amount := coalesce(p_amount, h.remaining);
    SELECT * INTO t FROM ledger_transfer WHERE id = p_hold;
    -- A repeated capture finds its key before the state that the first one left.
    v_answer := _ledger_answer(p_key, p_hash, coalesce(
        _ledger_hold_refusal(h, p_now),
        CASE
            WHEN p_currency <> t.currency THEN 'currency_mismatch'
            WHEN v_amount < 1 THEN 'amount_invalid'
            WHEN v_amount > h.remaining THEN 'hold_exceeded'
        END
    ));
    IF v_answer.code IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    v_answer := _ledger_move(p_key, p_hash, t.debit, t.credit, v_amount, t.currency, p_now, p_effective, p_meta, 'capture', p_hold, v_amount);
    IF v_answer.code <> 'ok' OR v_answer.replayed THEN
        RETURN v_answer;
    END IF;
    UPDATE ledger_hold
    SET remaining = remaining - v_amount, state = CASE WHEN remaining = v_amount THEN 'captured' ELSE 'open' END::ledger_hold_state
    WHERE id = p_hold;
    IF p_final AND v_amount < h.remaining THEN
        v_rest := _ledger_release(_ledger_key(p_key || ':rest'), p_hash, p_hold, 'captured', p_now, NULL);
    END IF;
    RETURN v_answer;
END
$$;

CREATE FUNCTION ledger_void(p_key uuid, p_hash bigint, p_hold bigint, p_now timestamptz, p_meta jsonb DEFAULT NULL) RETURNS ledger_answer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    h ledger_hold;
    v_answer ledger_answer;
BEGIN
    SELECT * INTO h FROM ledger_hold WHERE id = p_hold FOR UPDATE;
    -- Voiding an expired hold that nobody swept yet is fine: both give the money back.
    v_answer := _ledger_answer(p_key, p_hash, CASE WHEN h.state = 'open' THEN NULL ELSE _ledger_hold_refusal(h, p_now) END);
    IF v_answer.code IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    RETURN _ledger_release(p_key, p_hash, p_hold, 'voided', p_now, p_meta);
END
$$;

-- One hold per call, so that a sweep never holds the locks of two accounts. Safe to repeat.
CREATE FUNCTION ledger_expire(p_hold bigint, p_now timestamptz) RETURNS ledger_answer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    h ledger_hold;
    v_key uuid := _ledger_key('expire:' || p_hold);
    v_answer ledger_answer;
BEGIN
    SELECT * INTO h FROM ledger_hold WHERE id = p_hold FOR UPDATE;
    v_answer := _ledger_answer(v_key, 0, CASE
        WHEN h.id IS NULL THEN 'hold_unknown'
        WHEN h.state <> 'open' THEN 'hold_closed'
        WHEN h.expires_at IS NULL OR h.expires_at > p_now THEN 'hold_open'
    END);
    IF v_answer.code IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    RETURN _ledger_release(v_key, 0, p_hold, 'expired', p_now, NULL);
END
$$;
