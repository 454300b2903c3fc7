-- Two rules of one level, window and direction never hold at the same moment. The three are folded into one number and
-- compared as a range, because GiST compares ranges without any extension.
ALTER TABLE compliance_limitrule ADD CONSTRAINT compliance_limit_rule_no_overlap EXCLUDE USING gist (
    int4range(
        (level * 100
         + CASE "window" WHEN 'payment' THEN 10 WHEN 'day' THEN 20 WHEN 'month' THEN 30 ELSE 40 END
         + CASE direction WHEN 'out' THEN 1 WHEN 'in' THEN 2 ELSE 0 END)::integer,
        (level * 100
         + CASE "window" WHEN 'payment' THEN 10 WHEN 'day' THEN 20 WHEN 'month' THEN 30 ELSE 40 END
         + CASE direction WHEN 'out' THEN 1 WHEN 'in' THEN 2 ELSE 0 END)::integer,
        '[]') WITH &&,
    tstzrange(active_from, active_to) WITH &&
);
