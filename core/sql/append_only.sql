-- Refuses every change of a row, for everybody. Attached by "CREATE TRIGGER ... EXECUTE FUNCTION core_refuse_change()".
CREATE OR REPLACE FUNCTION core_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER core_audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON core_audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
