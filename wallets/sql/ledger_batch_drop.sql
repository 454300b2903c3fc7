DROP FUNCTION ledger_post_batch(boolean, boolean, uuid[], bigint[], bigint[], bigint[], bigint[], text[], timestamptz, timestamptz[], text[]);
DROP FUNCTION ledger_lock(bigint[], boolean);
DROP FUNCTION _ledger_batch_turn(bigint[]);
DROP FUNCTION _ledger_batch_plain(bigint[], bigint[], bigint[], text[]);
DROP FUNCTION _ledger_batch_judge(uuid[], bigint[], bigint[], bigint[], bigint[], text[]);
DROP FUNCTION _ledger_batch_write(bigint[], uuid[], bigint[], bigint[], bigint[], bigint[], text[], timestamptz[], text[], timestamptz, bigint);
DROP TYPE ledger_batch_answer;
