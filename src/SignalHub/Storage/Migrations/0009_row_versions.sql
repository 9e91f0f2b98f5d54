-- A batch that was planned with remembered rows ends here when one of them has been written since: 40001, and it starts again. Called only
-- then: the first call of a PL/pgSQL function costs each transaction as much as writing two rows.
create function refuse_stale_rows() returns boolean language plpgsql as $$
begin
    raise serialization_failure using message = 'a remembered row was changed by another writer';
end $$;

-- Explanations are read whole or not at all. As jsonb, taking them apart was half the cost of a signal's insert.
alter table signals alter column qualification type text;
alter table leads alter column qualification type text;

-- Bodies are above the size at which PostgreSQL compresses; its own method costs several times as much as lz4. Months made later take
-- the method of their parent, those that exist keep theirs.
do $$
declare
    month regclass;
begin
    if exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)) then
        for month in select relid from pg_partition_tree('webhook_events') loop
            execute format('alter table %s alter column body set compression lz4, alter column slack_body set compression lz4', month);
        end loop;
        for month in select relid from pg_partition_tree('signals') loop
            execute format('alter table %s alter column context set compression lz4, alter column qualification set compression lz4', month);
        end loop;
    end if;
end $$;

-- Every signal writes its person's and its lead's row; with room on the page the new version needs no index entries.
alter table contacts set (fillfactor = 80);
alter table leads set (fillfactor = 80);
