-- Transfers that count at another moment than they were recorded at (effective_at), and balances "as effective at".
-- Only such transfers are in these indexes; an ordinary one costs nothing but the look at its effective_at.
CREATE INDEX IF NOT EXISTS ledger_transfer_dated_debit ON ledger_transfer (debit, effective_at, created_at) INCLUDE (amount, kind) WHERE effective_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_transfer_dated_credit ON ledger_transfer (credit, effective_at, created_at) INCLUDE (amount, kind) WHERE effective_at IS NOT NULL;

-- The posted balance as effective at p_at, as it was known at p_known (null: now). That is the balance as recorded at p_at
-- (found by halving, see ledger_balance_at), with what was recorded later but counts before, without what was recorded before
-- but counts later. So the work grows with the account's dated transfers that lie across p_at, never with its history.
CREATE OR REPLACE FUNCTION ledger_balance_effective(p_account bigint, p_at timestamptz, p_known timestamptz DEFAULT NULL) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT (ledger_balance_at(p_account, least(p_at, coalesce(p_known, 'infinity'))) + coalesce(sum(amount), 0))::bigint
    FROM (
        SELECT -amount AS amount FROM ledger_transfer
        WHERE debit = p_account AND effective_at <= p_at AND created_at > p_at AND created_at <= coalesce(p_known, 'infinity')
            AND kind NOT IN ('pending', 'void')
        UNION ALL
        SELECT amount FROM ledger_transfer
        WHERE credit = p_account AND effective_at <= p_at AND created_at > p_at AND created_at <= coalesce(p_known, 'infinity')
            AND kind NOT IN ('pending', 'void')
        UNION ALL
        SELECT amount FROM ledger_transfer
        WHERE debit = p_account AND effective_at > p_at AND created_at <= least(p_at, coalesce(p_known, 'infinity')) AND kind NOT IN ('pending', 'void')
        UNION ALL
        SELECT -amount FROM ledger_transfer
        WHERE credit = p_account AND effective_at > p_at AND created_at <= least(p_at, coalesce(p_known, 'infinity')) AND kind NOT IN ('pending', 'void')
    ) AS across
$$;
