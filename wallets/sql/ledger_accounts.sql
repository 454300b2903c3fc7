-- Accounts: opening, limits, closing, locking ahead, and the balance as of a moment.

-- What keeps an account from taking part at all; null: nothing.
CREATE FUNCTION _ledger_unfit(p_account bigint, p_currency text) RETURNS text
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
    END;
END
$$;

-- With a code: the account of that code and currency, made if it is not there. Without: a new account.
-- Null when an account of that code and currency exists with the other kind.
CREATE FUNCTION ledger_account_open(
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

-- Null leaves a limit as it is. A ceiling may go below the balance (a level was lowered): then money only leaves.
CREATE FUNCTION ledger_account_limit(p_account bigint, p_floor bigint, p_ceiling bigint) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    v_id bigint;
BEGIN
    IF abs(p_floor) > 4000000000000000000 OR abs(p_ceiling) > 4000000000000000000 THEN
        RETURN 'amount_invalid';
    END IF;
    UPDATE ledger_account SET floor = coalesce(p_floor, floor), ceiling = coalesce(p_ceiling, ceiling)
    WHERE id = p_account AND kind = 'guarded' AND state = 'open' AND (p_floor IS NULL OR posted - held >= p_floor)
    RETURNING id INTO v_id;
    IF v_id IS NOT NULL THEN
        RETURN 'ok';
    END IF;
    RETURN (SELECT CASE WHEN state <> 'open' THEN 'account_closed' WHEN kind <> 'guarded' THEN 'account_not_guarded' ELSE 'insufficient_funds' END
            FROM ledger_account WHERE id = p_account
            UNION ALL SELECT 'account_unknown' LIMIT 1);
END
$$;

-- Only an account that holds nothing can be closed. An accumulating account takes no lock while money moves, so a call
-- that runs at the same moment may still land on it; close one only when nothing uses it any more.
CREATE FUNCTION ledger_account_close(p_account bigint, p_now timestamptz) RETURNS text
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
    UPDATE ledger_account SET state = 'closed', closed_at = p_now WHERE id = p_account;
    RETURN 'ok';
END
$$;

-- For a transaction that moves money more than once: all its accounts at once, in id order, before the first movement.
CREATE FUNCTION ledger_lock(p_accounts bigint[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    PERFORM FROM ledger_account WHERE id = ANY (p_accounts) AND kind = 'guarded' ORDER BY id FOR NO KEY UPDATE;
END
$$;

-- The posted balance as it was known at a moment (entries made up to and including it). A guarded account's created_at
-- never runs backwards along seq, so the entry is found by halving: about twenty looks at the primary key for a million
-- entries, and no second index to keep. An accumulating account has no running balance: its entries are summed.
CREATE FUNCTION ledger_balance_at(p_account bigint, p_at timestamptz) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    a ledger_account;
    v_low bigint := 0;
    v_high bigint;
    v_middle bigint;
BEGIN
    SELECT * INTO a FROM ledger_account WHERE id = p_account;
    IF a.id IS NULL OR a.kind = 'accumulating' THEN
        RETURN (SELECT coalesce(sum(e.amount), 0) FROM ledger_entry e WHERE e.account = p_account AND e.created_at <= p_at);
    ELSIF a.last_at <= p_at THEN
        RETURN a.posted;
    END IF;
    v_high := a.seq;
    WHILE v_low < v_high LOOP
        v_middle := (v_low + v_high + 1) / 2;
        IF (SELECT e.created_at <= p_at FROM ledger_entry e WHERE e.account = p_account AND e.seq = v_middle) THEN
            v_low := v_middle;
        ELSE
            v_high := v_middle - 1;
        END IF;
    END LOOP;
    RETURN coalesce((SELECT e.balance FROM ledger_entry e WHERE e.account = p_account AND e.seq = v_low), 0);
END
$$;
