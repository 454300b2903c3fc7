-- Many transfers in one call: arrays in (one element for each item, in order), one code for each item out. What is done is
-- exactly what the same single transfers would do one after the other, at one moment and in one transaction.

-- `code`: 'ok'; 'batch_refused' (atomic, and an item could not be done: nothing was); 'batch_too_large'.
-- `codes` is null when every item was new and is done; else each item's code. `transfers` are the items' ids. `replays` is
-- null when nothing was a repetition; else the moment the first call was recorded at, for those that were.
CREATE TYPE ledger_batch_answer AS (code text, codes text[], transfers bigint[], created_at timestamptz, replays timestamptz[]);

-- Writes what was judged possible: every item new, every account fit and locked. Ids are taken after the locks, in the order of
-- the items, so that an account's entries are in the order of their transfers. Balances by window over the items' order.
CREATE FUNCTION _ledger_batch_write(
    p_ids bigint[], p_keys uuid[], p_hashes bigint[], p_debits bigint[], p_credits bigint[], p_amounts bigint[],
    p_currencies text[], p_effectives timestamptz[], p_metas text[], p_at timestamptz, p_journal bigint
) RETURNS void
    LANGUAGE plpgsql VOLATILE AS
$$
BEGIN
    INSERT INTO ledger_transfer (id, key, request_hash, debit, credit, amount, created_at, kind, currency, origin, effective_at, meta)
    OVERRIDING SYSTEM VALUE
    SELECT i.id, i.key, i.hash, i.debit, i.credit, i.amount, p_at, 'posted', i.currency, p_journal, i.effective, i.meta::jsonb
    FROM unnest(p_ids, p_keys, p_hashes, p_debits, p_credits, p_amounts, p_currencies, p_effectives, p_metas)
        AS i (id, key, hash, debit, credit, amount, currency, effective, meta);
    WITH legs AS (
        SELECT debit AS account, id, -amount AS change, currency FROM unnest(p_ids, p_debits, p_amounts, p_currencies) AS i (id, debit, amount, currency)
        UNION ALL
        SELECT credit, id, amount, currency FROM unnest(p_ids, p_credits, p_amounts, p_currencies) AS i (id, credit, amount, currency)
    ), running AS (
        SELECT account, id, change, currency, sum(change) OVER w AS moved, row_number() OVER w AS place
        FROM legs WINDOW w AS (PARTITION BY account ORDER BY id ROWS UNBOUNDED PRECEDING)
    ), changed AS (
        UPDATE ledger_account a SET posted = a.posted + s.moved, seq = a.seq + s.entries, last_at = p_at
        FROM (SELECT account, sum(change)::bigint AS moved, count(*) AS entries FROM legs GROUP BY account) s
        WHERE a.id = s.account AND a.kind = 'guarded'
        RETURNING a.id, a.posted - s.moved AS posted, a.seq - s.entries AS seq
    )
    INSERT INTO ledger_entry (account, seq, transfer, amount, balance, created_at, currency)
    SELECT r.account, coalesce(c.seq + r.place, r.id), r.id, r.change, c.posted + r.moved, p_at, r.currency
    FROM running r LEFT JOIN changed c ON c.id = r.account;
END
$$;

-- One writer for each shard of accounts: batches that would wait for each other's rows wait once, before any row.
CREATE FUNCTION _ledger_batch_turn(p_accounts bigint[]) RETURNS void
    LANGUAGE plpgsql VOLATILE AS
$$
BEGIN
    PERFORM pg_advisory_xact_lock(1818584178, shard) FROM (
        SELECT DISTINCT id % 16 AS shard FROM ledger_account WHERE id = ANY (p_accounts) AND kind = 'guarded' ORDER BY 1
    ) s;
END
$$;

-- For a transaction that moves money more than once: all its accounts at once, in id order, before the first movement; with
-- p_batch also the turn that a batch among them will take.
CREATE FUNCTION ledger_lock(p_accounts bigint[], p_batch boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    IF p_batch THEN
        PERFORM _ledger_batch_turn(p_accounts);
    END IF;
    PERFORM FROM ledger_account WHERE id = ANY (p_accounts) AND kind = 'guarded' ORDER BY id FOR NO KEY UPDATE;
END
$$;

-- Judges the items one after the other, in memory, as single calls would: for a batch in which a floor or ceiling may be
-- reached, a key was used before, or an item is wrong. The accounts are locked. `again` is the item that an item repeats.
CREATE FUNCTION _ledger_batch_judge(
    p_keys uuid[], p_hashes bigint[], p_debits bigint[], p_credits bigint[], p_amounts bigint[], p_currencies text[],
    OUT codes text[], OUT transfers bigint[], OUT replays timestamptz[], OUT again integer[]
)
    LANGUAGE plpgsql VOLATILE AS
$$
DECLARE
    n constant integer := cardinality(p_keys);
    -- Of each guarded account that takes part: what it has, and between what that must stay.
    v_posted bigint[];
    v_least bigint[];
    v_most bigint[];
    -- Of each item: its accounts' places in those arrays (0: accumulating), why it or one of them cannot be, the first item
    -- with its key, and what an earlier call did with that key.
    v_debits integer[];
    v_credits integer[];
    v_debit_codes text[];
    v_credit_codes text[];
    v_firsts integer[];
    v_earlier bigint[];
    v_earlier_hashes bigint[];
    v_earlier_at timestamptz[];
    v_done integer[] := array_fill(0, ARRAY[n]);
    v_code text;
    d integer;
    c integer;
    f integer;
BEGIN
    codes := array_fill('ok'::text, ARRAY[n]);
    transfers := array_fill(NULL::bigint, ARRAY[n]);
    replays := array_fill(NULL::timestamptz, ARRAY[n]);
    again := array_fill(0, ARRAY[n]);
    SELECT array_agg(posted ORDER BY id), array_agg(held + floor ORDER BY id), array_agg(ceiling ORDER BY id) INTO v_posted, v_least, v_most
    FROM ledger_account WHERE id = ANY (p_debits || p_credits) AND kind = 'guarded';
    WITH account AS MATERIALIZED (
        SELECT id, state, currency, CASE kind WHEN 'guarded' THEN row_number() OVER (PARTITION BY kind ORDER BY id) ELSE 0 END::integer AS place
        FROM ledger_account WHERE id = ANY (p_debits || p_credits)
    ), item AS (
        SELECT i.*, min(i.nth) OVER (PARTITION BY i.key)::integer AS first
        FROM unnest(p_keys, p_debits, p_credits, p_amounts, p_currencies) WITH ORDINALITY AS i (key, debit, credit, amount, currency, nth)
    )
    SELECT
        array_agg(coalesce(d.place, 0) ORDER BY i.nth),
        array_agg(coalesce(c.place, 0) ORDER BY i.nth),
        array_agg(CASE
            WHEN i.debit = i.credit THEN 'same_account'
            WHEN (i.amount BETWEEN 1 AND 1000000000000000) IS NOT TRUE THEN 'amount_invalid'
            WHEN d.id IS NULL THEN 'account_unknown'
            WHEN d.state <> 'open' THEN 'account_closed'
            WHEN d.currency IS DISTINCT FROM i.currency THEN 'currency_mismatch'
        END ORDER BY i.nth),
        array_agg(CASE
            WHEN c.id IS NULL THEN 'account_unknown'
            WHEN c.state <> 'open' THEN 'account_closed'
            WHEN c.currency IS DISTINCT FROM i.currency THEN 'currency_mismatch'
        END ORDER BY i.nth),
        array_agg(i.first ORDER BY i.nth), array_agg(t.id ORDER BY i.nth), array_agg(t.request_hash ORDER BY i.nth), array_agg(t.created_at ORDER BY i.nth)
    INTO v_debits, v_credits, v_debit_codes, v_credit_codes, v_firsts, v_earlier, v_earlier_hashes, v_earlier_at
    FROM item i
    LEFT JOIN account d ON d.id = i.debit
    LEFT JOIN account c ON c.id = i.credit
    LEFT JOIN ledger_transfer t ON t.key = i.key;
    FOR i IN 1..n LOOP
        f := v_firsts[i];
        IF v_earlier[i] IS NOT NULL THEN
            IF v_earlier_hashes[i] = p_hashes[i] THEN
                transfers[i] := v_earlier[i];
                replays[i] := v_earlier_at[i];
            ELSE
                codes[i] := 'idempotency_conflict';
            END IF;
        ELSIF v_done[f] > 0 THEN
            IF p_hashes[v_done[f]] = p_hashes[i] THEN
                again[i] := v_done[f];
            ELSE
                codes[i] := 'idempotency_conflict';
            END IF;
        ELSE
            d := v_debits[i];
            c := v_credits[i];
            -- In the order in which a single transfer looks.
            v_code := coalesce(
                v_debit_codes[i],
                CASE WHEN d > 0 AND v_posted[d] - p_amounts[i] < v_least[d] THEN 'insufficient_funds' END,
                v_credit_codes[i],
                CASE WHEN c > 0 AND v_posted[c] + p_amounts[i] > v_most[c] THEN 'ceiling_exceeded' END
            );
            IF v_code IS NOT NULL THEN
                codes[i] := v_code;
            ELSE
                v_done[f] := i;
                IF d > 0 THEN
                    v_posted[d] := v_posted[d] - p_amounts[i];
                END IF;
                IF c > 0 THEN
                    v_posted[c] := v_posted[c] + p_amounts[i];
                END IF;
            END IF;
        END IF;
    END LOOP;
END
$$;

-- True when every item is sound and no floor or ceiling can be reached in whatever order: then nothing has to be judged.
CREATE FUNCTION _ledger_batch_plain(p_debits bigint[], p_credits bigint[], p_amounts bigint[], p_currencies text[]) RETURNS boolean
    LANGUAGE sql VOLATILE AS
$$
    SELECT bool_and(coalesce(
        a.state = 'open' AND l.currency_low = a.currency AND l.currency_high = a.currency AND l.sound AND (
            a.kind = 'accumulating' OR a.posted - a.held - l.debited >= a.floor AND a.posted + l.credited <= a.ceiling
        ), false))
    FROM (
        SELECT account, min(currency) AS currency_low, max(currency) AS currency_high, bool_and(sound) AS sound,
            coalesce(sum(amount) FILTER (WHERE debit), 0) AS debited, coalesce(sum(amount) FILTER (WHERE NOT debit), 0) AS credited
        FROM (
            SELECT debit AS account, amount, currency, true AS debit, debit <> credit AND amount BETWEEN 1 AND 1000000000000000 AS sound
            FROM unnest(p_debits, p_credits, p_amounts, p_currencies) AS i (debit, credit, amount, currency)
            UNION ALL
            SELECT credit, amount, currency, false, currency IS NOT NULL FROM unnest(p_credits, p_amounts, p_currencies) AS i (credit, amount, currency)
        ) leg GROUP BY account
    ) l LEFT JOIN ledger_account a ON a.id = l.account
$$;

-- `p_atomic`: all items or none. Otherwise each item on its own, refused ones leave the others alone.
-- `p_journal`: the new items are one journal, named by the id of its first transfer (their `origin`).
CREATE FUNCTION ledger_post_batch(
    p_atomic boolean, p_journal boolean, p_keys uuid[], p_hashes bigint[], p_debits bigint[], p_credits bigint[], p_amounts bigint[],
    p_currencies text[], p_now timestamptz, p_effectives timestamptz[] DEFAULT NULL, p_metas text[] DEFAULT NULL
) RETURNS ledger_batch_answer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    n constant integer := cardinality(p_keys);
    v_accounts constant bigint[] := ARRAY(SELECT DISTINCT account FROM unnest(p_debits || p_credits) account);
    v_plain boolean := true;
    v_at timestamptz;
    v_ids bigint[];
    v_take integer[];
    v_constraint text;
    j record;
BEGIN
    IF n > 10000 THEN
        RETURN ('batch_too_large', NULL, NULL, NULL, NULL)::ledger_batch_answer;
    ELSIF n = 0 THEN
        RETURN ('ok', NULL, '{}'::bigint[], p_now, NULL)::ledger_batch_answer;
    ELSIF n <> cardinality(p_hashes) OR n <> cardinality(p_debits) OR n <> cardinality(p_credits) OR n <> cardinality(p_amounts)
        OR n <> cardinality(p_currencies) OR n <> cardinality(p_effectives) OR n <> cardinality(p_metas) THEN
        RAISE EXCEPTION 'ledger: arrays of one batch have one length' USING ERRCODE = 'array_subscript_error';
    END IF;
    PERFORM _ledger_batch_turn(v_accounts);
    FOR v_try IN 1..10 LOOP
        BEGIN
            -- Inside the block: a row locked outside of it and changed inside would cost a multixact each.
            SELECT greatest(max(last_at), p_now) INTO v_at
            FROM (SELECT last_at FROM ledger_account WHERE id = ANY (v_accounts) AND kind = 'guarded' ORDER BY id FOR NO KEY UPDATE) locked;
            IF v_plain AND _ledger_batch_plain(p_debits, p_credits, p_amounts, p_currencies) THEN
                v_ids := ARRAY(SELECT nextval('public.ledger_transfer_id_seq') FROM generate_series(1, n));
                PERFORM _ledger_batch_write(
                    v_ids, p_keys, p_hashes, p_debits, p_credits, p_amounts, p_currencies, p_effectives, p_metas, v_at,
                    CASE WHEN p_journal THEN v_ids[1] END
                );
                RETURN ('ok', NULL, v_ids, v_at, NULL)::ledger_batch_answer;
            END IF;
            j := _ledger_batch_judge(p_keys, p_hashes, p_debits, p_credits, p_amounts, p_currencies);
            IF p_atomic AND EXISTS (SELECT FROM unnest(j.codes) code WHERE code <> 'ok') THEN
                RETURN (
                    'batch_refused',
                    ARRAY(SELECT CASE WHEN code = 'ok' AND transfer IS NULL THEN 'batch_refused' ELSE code END
                          FROM unnest(j.codes, j.transfers) WITH ORDINALITY AS i (code, transfer, place) ORDER BY place),
                    j.transfers, v_at, j.replays
                )::ledger_batch_answer;
            END IF;
            v_take := ARRAY(
                SELECT place FROM unnest(j.codes, j.transfers, j.again) WITH ORDINALITY AS i (code, transfer, again, place)
                WHERE code = 'ok' AND transfer IS NULL AND again = 0 ORDER BY place
            );
            v_ids := ARRAY(SELECT nextval('public.ledger_transfer_id_seq') FROM unnest(v_take));
            IF v_take <> '{}' THEN
                PERFORM _ledger_batch_write(
                    v_ids, ARRAY(SELECT p_keys[i] FROM unnest(v_take) i), ARRAY(SELECT p_hashes[i] FROM unnest(v_take) i),
                    ARRAY(SELECT p_debits[i] FROM unnest(v_take) i), ARRAY(SELECT p_credits[i] FROM unnest(v_take) i),
                    ARRAY(SELECT p_amounts[i] FROM unnest(v_take) i), ARRAY(SELECT p_currencies[i] FROM unnest(v_take) i),
                    ARRAY(SELECT p_effectives[i] FROM unnest(v_take) i), ARRAY(SELECT p_metas[i] FROM unnest(v_take) i), v_at,
                    CASE WHEN p_journal THEN v_ids[1] END
                );
            END IF;
            FOR i IN 1..cardinality(v_take) LOOP
                j.transfers[v_take[i]] := v_ids[i];
            END LOOP;
            RETURN (
                'ok', j.codes,
                ARRAY(SELECT coalesce(transfer, j.transfers[nullif(again, 0)])
                      FROM unnest(j.transfers, j.again) WITH ORDINALITY AS i (transfer, again, place) ORDER BY place),
                v_at,
                ARRAY(SELECT CASE WHEN again > 0 THEN v_at ELSE replay END
                      FROM unnest(j.replays, j.again) WITH ORDINALITY AS i (replay, again, place) ORDER BY place)
            )::ledger_batch_answer;
        EXCEPTION WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
            IF v_constraint <> 'ledger_transfer_key' THEN
                RAISE;
            END IF;
            -- A key was used before, or was used by somebody at this moment: look closely.
            v_plain := false;
        END;
    END LOOP;
    RAISE EXCEPTION 'ledger: the keys of a batch are used by others again and again' USING ERRCODE = 'serialization_failure';
END
$$;
