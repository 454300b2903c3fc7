-- The way back: everything that the ledger made.
DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname ~ '^_?ledger_' LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', f);
    END LOOP;
    DROP TABLE ledger_entry, ledger_hold, ledger_transfer, ledger_account;
    DROP TYPE ledger_answer;
    DROP TYPE ledger_hold_state;
    DROP TYPE ledger_transfer_kind;
    DROP TYPE ledger_account_state;
    DROP TYPE ledger_account_kind;
    DROP DOMAIN ledger_amount;
END
$$;
