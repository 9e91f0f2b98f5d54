-- A batch that was planned with remembered rows ends here when one of them has been written since: 40001, and it starts again.
create function expect_rows(changed bigint, expected bigint) returns void language plpgsql as $$
begin
    if changed <> expected then
        raise serialization_failure using message = 'a remembered row was changed by another writer';
    end if;
end $$;

-- Explanations are read whole or not at all. As jsonb, taking them apart was half the cost of a signal's insert.
alter table signals alter column qualification type text;
alter table leads alter column qualification type text;

-- Bodies are above the size at which PostgreSQL compresses; its own method costs several times as much as lz4.
do $$
begin
    if exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)) then
        alter table webhook_events alter column body set compression lz4;
        alter table signals alter column context set compression lz4, alter column qualification set compression lz4;
    end if;
end $$;

-- Every signal writes its person's and its lead's row; with room on the page the new version needs no index entries.
alter table contacts set (fillfactor = 80);
alter table leads set (fillfactor = 80);
