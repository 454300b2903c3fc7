-- Seals: a tree of hashes (RFC 6962) over all transfers in the order of their ids, and a chain over its roots. Made behind the
-- commit, so that nobody who pays waits for it. docs/seals.md gives the bytes.
--
-- An entry is not hashed: what it says follows from the sealed transfers (side, amount, moment; seq counts an account's
-- transfers in the order of their ids; the balance adds them up), and ledger_verify checks that it does.

-- One row for each run of the sealer. `size` transfers are under `root`, the newest of them `last`. `prints` is the first two
-- bytes of each new leaf, so that a changed row can be named and not only noticed.
CREATE TABLE ledger_seal (
    number bigint PRIMARY KEY,
    size bigint NOT NULL,
    last bigint NOT NULL,
    sealed_at timestamptz NOT NULL,
    root bytea NOT NULL,
    chain bytea NOT NULL,
    prints bytea NOT NULL,
    CONSTRAINT ledger_seal_hashes CHECK (number > 0 AND octet_length(root) = 32 AND octet_length(chain) = 32)
);
-- Hashes do not compress; without this PostgreSQL tries.
ALTER TABLE ledger_seal ALTER COLUMN prints SET STORAGE EXTERNAL;

-- Every 256 leaves are a block that never changes again. `nodes` are the roots of the whole subtrees that end with this block:
-- of 1 block, 2, 4 ... (one more for each trailing 1 in `number`), so that a proof needs 256 rows and a few look-ups.
CREATE TABLE ledger_seal_block (
    number bigint PRIMARY KEY,
    last bigint NOT NULL,
    nodes bytea NOT NULL
);
CREATE UNIQUE INDEX ledger_seal_block_last ON ledger_seal_block (last);

-- One row: the newest seal, up to which id nothing is under way any more, and whom that was last asked of.
CREATE TABLE ledger_seal_state (
    number bigint NOT NULL,
    chain bytea NOT NULL,
    safe bigint NOT NULL,
    upto bigint NOT NULL,
    waiting text[] NOT NULL
);
INSERT INTO ledger_seal_state VALUES (0, decode(repeat('00', 32), 'hex'), 0, 0, '{}');

CREATE TRIGGER ledger_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_seal_block_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal_block
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_seal_state_kept BEFORE INSERT OR DELETE OR TRUNCATE ON ledger_seal_state
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- A transfer's leaf: 0x00, its numbers in network order, the hash of its meta, its kind and currency.
-- No SET and not SECURITY DEFINER, so that PostgreSQL puts it into the query that calls it.
CREATE FUNCTION _ledger_leaf(t ledger_transfer) RETURNS bytea LANGUAGE sql STABLE AS
$$
    SELECT sha256(
        '\x00'::bytea || int8send((t).id) || int4send((t).debit) || int4send((t).credit) || int8send((t).amount)
        || timestamptz_send((t).created_at) || coalesce(timestamptz_send((t).effective_at), '\x8000000000000000'::bytea)
        || int8send(coalesce((t).origin, 0)) || int8send((t).request_hash) || uuid_send((t).key)
        || coalesce(sha256(convert_to((t).meta::text, 'UTF8')), '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea)
        || convert_to((t).kind::text || ':' || (t).currency, 'UTF8')
    )
$$;

CREATE FUNCTION _ledger_node(p_left bytea, p_right bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
$$ SELECT sha256('\x01'::bytea || p_left || p_right) $$;

-- The level above these hashes: each two become one, one that is left over goes up as it is.
CREATE FUNCTION _ledger_level(p_hashes bytea) RETURNS bytea LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT coalesce(string_agg(sha256('\x01'::bytea || substr(p_hashes, n * 64 + 1, 64)), ''::bytea), ''::bytea)
        || substr(p_hashes, octet_length(p_hashes) / 64 * 64 + 1)
    FROM generate_series(0, octet_length(p_hashes) / 64 - 1) n
$$;

CREATE FUNCTION _ledger_root(p_hashes bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    WHILE octet_length(p_hashes) > 32 LOOP
        p_hashes := _ledger_level(p_hashes);
    END LOOP;
    RETURN nullif(p_hashes, ''::bytea);
END
$$;

-- The leaves of a stretch of transfers, after one id up to and including another, side by side.
CREATE FUNCTION ledger_seal_leaves(p_after bigint, p_upto bigint) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT coalesce(string_agg(leaf, ''::bytea), ''::bytea)
    FROM (SELECT _ledger_leaf(t) AS leaf FROM ledger_transfer t WHERE t.id > p_after AND t.id <= p_upto ORDER BY t.id) found
$$;

-- Folds the roots of whole subtrees (p_peaks[n + 1] is of 2^n blocks) and of what is behind them into the root of all.
CREATE FUNCTION _ledger_fold(p_blocks bigint, p_peaks bytea[], p_tail bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    v_level integer := 0;
BEGIN
    WHILE p_blocks >> v_level > 0 LOOP
        IF p_blocks >> v_level & 1 = 1 THEN
            p_tail := CASE WHEN p_tail IS NULL THEN p_peaks[v_level + 1] ELSE _ledger_node(p_peaks[v_level + 1], p_tail) END;
        END IF;
        v_level := v_level + 1;
    END LOOP;
    RETURN p_tail;
END
$$;

-- The roots of the whole subtrees that the first p_blocks blocks fall into.
CREATE FUNCTION _ledger_peaks(p_blocks bigint) RETURNS bytea[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT array_agg(CASE WHEN p_blocks >> n & 1 = 1 THEN (
        SELECT substr(b.nodes, n * 32 + 1, 32) FROM ledger_seal_block b WHERE b.number = (p_blocks >> n << n) - 1
    ) END ORDER BY n) FROM generate_series(0, 62) n
$$;

-- Up to which id every transfer is either there to be seen or never will be. An id comes from the sequence, and whoever has
-- taken one holds the sequence's lock until the transaction ends (PostgreSQL lets go of it after the rows can be seen). So: read
-- how far the sequence is, then who holds the lock; once none of those hold it any more, all ids up to there are decided.
-- Nobody waits, and nobody who only reads is waited for. A transaction that stays open keeps the mark where it is.
CREATE FUNCTION _ledger_seal_safe() RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    s ledger_seal_state;
    v_upto bigint;
    v_open text[];
BEGIN
    SELECT * INTO s FROM ledger_seal_state;
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO v_upto FROM ledger_transfer_id_seq;
    v_open := ARRAY(
        SELECT l.virtualtransaction FROM pg_locks l
        WHERE l.locktype = 'relation' AND l.relation = 'public.ledger_transfer_id_seq'::regclass AND l.mode = 'RowExclusiveLock'
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND l.pid IS DISTINCT FROM pg_backend_pid()
    );
    IF v_open = '{}' THEN
        s.safe := v_upto;
    ELSIF s.waiting && v_open THEN
        RETURN s.safe;
    ELSE
        s.safe := s.upto;
    END IF;
    UPDATE ledger_seal_state SET safe = s.safe, upto = v_upto, waiting = v_open;
    RETURN s.safe;
END
$$;

-- Makes the next seal, over at most p_limit new transfers; returns how many there were. 0: nothing to do, or another sealer is
-- at it, or what is new is still under way.
CREATE FUNCTION ledger_seal_next(p_now timestamptz, p_limit integer DEFAULT 65536) RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    s ledger_seal_state;
    p ledger_seal;
    v_safe bigint;
    v_blocks bigint;
    v_old integer;
    v_after bigint;
    v_leaves bytea;
    v_ids bigint[];
    v_peaks bytea[];
    v_roots bytea;
    v_node bytea;
    v_nodes bytea;
    v_level integer;
    v_chain bytea;
    v_new integer;
BEGIN
    -- Each statement has to see what was committed before it began.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'ledger: sealing needs read committed';
    END IF;
    SELECT * INTO s FROM ledger_seal_state FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    v_safe := _ledger_seal_safe();
    SELECT * INTO p FROM ledger_seal WHERE number = s.number;
    IF s.number > 0 AND p.chain IS DISTINCT FROM s.chain THEN
        RAISE EXCEPTION 'ledger: the newest seal is not the one that was made' USING ERRCODE = 'data_corrupted';
    END IF;
    v_blocks := coalesce(p.size, 0) / 256;
    v_old := coalesce(p.size, 0) % 256;
    v_after := coalesce((SELECT last FROM ledger_seal_block WHERE number = v_blocks - 1), 0);
    SELECT coalesce(string_agg(leaf, ''::bytea), ''::bytea), coalesce(array_agg(id), '{}') INTO v_leaves, v_ids
    FROM (SELECT t.id, _ledger_leaf(t) AS leaf FROM ledger_transfer t
          WHERE t.id > v_after AND t.id <= v_safe ORDER BY t.id LIMIT v_old + p_limit) found;
    v_new := cardinality(v_ids) - v_old;
    IF v_new = 0 THEN
        RETURN 0;
    END IF;
    v_peaks := _ledger_peaks(v_blocks);
    -- Never build on rows that are not the ones that were sealed.
    IF v_new < 0 OR _ledger_fold(v_blocks, v_peaks, _ledger_root(substr(v_leaves, 1, v_old * 32))) IS DISTINCT FROM p.root THEN
        RAISE EXCEPTION 'ledger: sealed transfers have changed, see ledger_verify' USING ERRCODE = 'data_corrupted';
    END IF;
    v_roots := substr(v_leaves, 1, cardinality(v_ids) / 256 * 256 * 32);
    FOR i IN 1..8 LOOP
        v_roots := _ledger_level(v_roots);
    END LOOP;
    FOR i IN 1..octet_length(v_roots) / 32 LOOP
        v_node := substr(v_roots, i * 32 - 31, 32);
        v_nodes := v_node;
        v_level := 0;
        WHILE v_blocks >> v_level & 1 = 1 LOOP
            v_node := _ledger_node(v_peaks[v_level + 1], v_node);
            v_nodes := v_nodes || v_node;
            v_level := v_level + 1;
        END LOOP;
        v_peaks[v_level + 1] := v_node;
        INSERT INTO ledger_seal_block (number, last, nodes) VALUES (v_blocks, v_ids[i * 256], v_nodes);
        v_blocks := v_blocks + 1;
    END LOOP;
    v_node := _ledger_fold(v_blocks, v_peaks, _ledger_root(substr(v_leaves, octet_length(v_roots) * 256 + 1)));
    v_chain := sha256(
        '\x02'::bytea || s.chain || int8send(s.number + 1) || int8send(coalesce(p.size, 0) + v_new)
        || int8send(v_ids[cardinality(v_ids)]) || timestamptz_send(p_now) || v_node
    );
    INSERT INTO ledger_seal (number, size, last, sealed_at, root, chain, prints)
    VALUES (
        s.number + 1, coalesce(p.size, 0) + v_new, v_ids[cardinality(v_ids)], p_now, v_node, v_chain,
        (SELECT string_agg(substr(v_leaves, n * 32 + 1, 2), ''::bytea) FROM generate_series(v_old, v_old + v_new - 1) n)
    );
    UPDATE ledger_seal_state SET number = s.number + 1, chain = v_chain;
    RETURN v_new;
END
$$;
