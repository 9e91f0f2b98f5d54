-- Documents that no plan looks into. Sorting samples of them was most of what analysing a busy month took, on a core that the writers need.
create function skip_documents(part regclass, of_table text) returns void language plpgsql as $$
declare
    document text;
begin
    foreach document in array case of_table
        when 'signals' then array['identity', 'context', 'qualification', 'warnings']
        when 'webhook_events' then array['body', 'slack_body']
        when 'leads' then array['qualification', 'by_source']
        else '{}'::text[] end
    loop
        execute format('alter table %s alter column %I set statistics 0', part, document);
    end loop;
end $$;

-- As before, and without statistics of documents, which a month does not take over from its parent.
create or replace function add_month(parent text, month date) returns void language plpgsql as $$
declare
    first date := date_trunc('month', month)::date;
    name  text := parent || to_char(first, '_YYYY_MM');
begin
    if to_regclass(name) is null then
        begin
            execute format('create table %I partition of %I for values from (%L) to (%L)', name, parent,
                to_char(first, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(first + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
            perform skip_documents(name::regclass, parent);
        exception when invalid_object_definition then null; -- overlaps: the partition of the months before the first one has it
        end;
    end if;
    if parent = 'webhook_events' then
        perform add_month(t, month) from unnest(array['delivery_history', 'automation_runs', 'webhook_event_extras']) t;
    end if;
end $$;

-- What there is: the tables, and their months.
select skip_documents(part, root)
  from unnest(array['signals', 'webhook_events', 'leads']) root,
       lateral (select relid as part from pg_partition_tree(root::regclass) union select root::regclass) parts;
