-- Automations: a condition over what a signal brought, and a webhook that it sets off.

create table automations (
    workspace_id   uuid not null,
    id             uuid not null,
    name           text not null,
    description    text,
    signal_types   text[] not null,                         -- keys; empty: any
    "when"         text,
    endpoint_id    uuid not null,                           -- where its deliveries go
    owns_endpoint  boolean not null,                        -- that endpoint was made for it and goes with it
    headers        jsonb not null default '{}',             -- {"X-Plan": "{{signal.context.plan}}"}
    body_template  text,
    limit_hours    integer check (limit_hours > 0),         -- at most once for a lead in so many hours; null: once for each signal
    enabled        boolean not null,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    constraint automations_pkey primary key (workspace_id, id)
);
create index automations_newest on automations (workspace_id, created_at desc, id desc);

-- What automations did whose trigger and condition a signal met. That a condition was not met is not written, it can be
-- worked out again: two hundred automations would otherwise write two hundred rows for each signal.
create table automation_runs (
    workspace_id   uuid not null,
    automation_id  uuid not null,
    at             timestamptz not null,                    -- when the signal was received
    signal_id      uuid not null,
    lead_id        uuid,
    outcome        text not null check (outcome in ('fired', 'template_error', 'limit_reached', 'no_endpoint')),
    detail         text,
    event_id       uuid,
    delivery_id    uuid,
    constraint automation_runs_pkey primary key (workspace_id, automation_id, at, signal_id)
) partition by range (at);

-- When an automation with a limit fired last for a lead. Written with the lead's row locked.
create table automation_lead_fires (
    workspace_id   uuid not null,
    automation_id  uuid not null,
    lead_id        uuid not null,
    fired_at       timestamptz not null,
    signal_id      uuid not null,
    constraint automation_lead_fires_pkey primary key (workspace_id, automation_id, lead_id)
);

-- What few events have beside their body: headers, or the reason why there is nothing to send.
create table webhook_event_extras (
    workspace_id   uuid not null,
    created_at     timestamptz not null,                    -- of the event
    id             uuid not null,
    headers        jsonb not null default '{}',
    template_error text,
    constraint webhook_event_extras_pkey primary key (workspace_id, created_at, id)
) partition by range (created_at);

alter table webhook_endpoints drop constraint webhook_endpoints_origin_check,
    add constraint webhook_endpoints_origin_check check (origin in ('api', 'hook', 'automation'));

-- As before; what is written with an event finds its month where the event finds its own.
create or replace function add_month(parent text, month date) returns void language plpgsql as $$
declare
    first date := date_trunc('month', month)::date;
    name  text := parent || to_char(first, '_YYYY_MM');
begin
    if to_regclass(name) is null then
        begin
            execute format('create table %I partition of %I for values from (%L) to (%L)', name, parent,
                to_char(first, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(first + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
        exception when invalid_object_definition then null; -- overlaps: the partition of the months before the first one has it
        end;
    end if;
    if parent = 'webhook_events' then
        perform add_month(t, month) from unnest(array['delivery_history', 'automation_runs', 'webhook_event_extras']) t;
    end if;
end $$;

-- The months that there are.
select add_month('webhook_events', to_date(right(c.relname, 7), 'YYYY_MM'))
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
 where i.inhparent = 'webhook_events'::regclass;
