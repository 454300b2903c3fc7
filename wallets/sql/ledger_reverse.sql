-- Undoing: a mirrored transfer. History stays; the sum of reversals never passes the original. The original is named by its
-- id or by its key.

CREATE FUNCTION ledger_reverse(
    p_key uuid, p_hash bigint, p_transfer bigint, p_original uuid, p_amount bigint, p_currency text, p_now timestamptz,
    p_effective timestamptz DEFAULT NULL, p_meta jsonb DEFAULT NULL
) RETURNS ledger_answer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    t ledger_transfer;
    v_left bigint;
    v_amount bigint;
    v_answer ledger_answer;
BEGIN
    -- The lock makes two reversals of one transfer wait for each other; nothing else ever locks a transfer.
    IF p_original IS NULL THEN
        SELECT * INTO t FROM ledger_transfer WHERE id = p_transfer FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO t FROM ledger_transfer WHERE key = p_original FOR NO KEY UPDATE;
    END IF;
    v_left := t.amount - (SELECT coalesce(sum(r.amount), 0) FROM ledger_transfer r WHERE r.origin = t.id AND r.kind = 'reversal');
    v_amount := coalesce(p_amount, v_left);
    v_answer := _ledger_answer(p_key, p_hash, CASE
        WHEN t.id IS NULL THEN 'transfer_unknown'
        WHEN t.kind NOT IN ('posted', 'capture') THEN 'not_reversible'
        WHEN p_currency <> t.currency THEN 'currency_mismatch'
        WHEN v_amount > v_left OR v_left = 0 THEN 'reversal_exceeded'
        WHEN v_amount < 1 THEN 'amount_invalid'
    END);
    IF v_answer.code IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    RETURN _ledger_move(p_key, p_hash, t.credit, t.debit, v_amount, t.currency, p_now, p_effective, p_meta, 'reversal', t.id, 0);
END
$$;
