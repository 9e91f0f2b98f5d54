-- Work that takes longer than a request: replays first. A row is taken for a turn at a time by whoever runs jobs; turn is the
-- fence (a turn that lost its lease writes nothing), next_at is lease and pace in one.
create table jobs (
    workspace_id  uuid not null,
    id            uuid not null,
    kind          text not null,
    subject_id    uuid,                                     -- what it is about, e.g. an endpoint
    state         text not null default 'queued' check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    parameters    jsonb not null,                           -- as asked for; never changes
    position      jsonb not null default '{}',              -- where the next turn goes on
    total         bigint not null,                          -- steps, as counted when it was asked for
    done          bigint not null default 0,
    affected      bigint not null default 0,                -- of the steps done, those that changed something
    turn          integer not null default 0,               -- only grows
    failures      smallint not null default 0,              -- turns in a row that ended in an error
    error         text,
    next_at       timestamptz not null,
    created_at    timestamptz not null,
    started_at    timestamptz,
    ended_at      timestamptz,
    updated_at    timestamptz not null,
    constraint jobs_pkey primary key (workspace_id, id),
    constraint jobs_end check ((state in ('queued', 'running')) = (ended_at is null))
);
create index jobs_newest on jobs (workspace_id, created_at desc, id desc);
create index jobs_open on jobs (workspace_id, next_at, id) where ended_at is null;

-- Who made an endpoint: the endpoint routes, or a REST hook, which a 410 deletes.
alter table webhook_endpoints add column origin text not null default 'api' check (origin in ('api', 'hook'));

-- The millisecond that an id carries (as Ids.InstantOf): finds a signal's partition and place from its id alone.
create function id_instant(id uuid) returns timestamptz language sql stable parallel safe as
    $$ select timestamptz '1970-01-01 00:00:00+00' + ('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint * interval '1 millisecond' $$;

-- What the delivery log is searched by. All partial, and a delivery that succeeds at its first try is in none of them: the
-- usual case pays nothing for the search for the unusual.
create index delivery_history_undelivered on delivery_history (workspace_id, state, created_at desc, id desc) where state <> 'delivered';
create index delivery_history_error on delivery_history (workspace_id, last_error, created_at desc, id desc) where last_error is not null;
create index delivery_history_code on delivery_history (workspace_id, (last_status / 100), created_at desc, id desc)
    where last_status is not null and last_status / 100 <> 2;
create index delivery_history_retried on delivery_history (workspace_id, created_at desc, id desc) where attempt > 1;
create index delivery_queue_error on delivery_queue (workspace_id, last_error, id) where last_error is not null;
create index delivery_queue_code on delivery_queue (workspace_id, (last_status / 100), id) where last_status is not null;
create index delivery_history_operational on delivery_history (workspace_id, event_type, created_at desc, id desc)
    where event_type in ('endpoint.failing', 'endpoint.disabled', 'test');
create index delivery_queue_operational on delivery_queue (workspace_id, event_type, id)
    where event_type in ('endpoint.failing', 'endpoint.disabled', 'test');
create index delivery_queue_retried on delivery_queue (workspace_id, id) where attempt > 1;
