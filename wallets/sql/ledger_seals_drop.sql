-- The way back: the seals and the functions that made them.
DROP FUNCTION ledger_seal_next, ledger_seal_leaves, _ledger_seal_safe, _ledger_peaks, _ledger_fold, _ledger_root, _ledger_level,
    _ledger_node, _ledger_leaf;
DROP TABLE ledger_seal, ledger_seal_block, ledger_seal_state;
