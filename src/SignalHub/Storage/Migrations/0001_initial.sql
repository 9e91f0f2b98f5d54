-- Every table leads its key and its indexes with workspace_id: the tenant comes first in every query, and a cluster that
-- shards (Citus) can do so by it. No foreign keys on the hot tables (two of them cost half as much CPU again); the code
-- writes parent and child in one transaction.

create table workspaces (
    id            uuid primary key,
    name          text not null,
    settings      jsonb not null default '{}',
    per_minute    integer check (per_minute >= 0),          -- null: the server's default; 0: unlimited
    per_day       integer check (per_day >= 0),
    created_at    timestamptz not null,
    version       bigint not null default 1,                -- grows with each change of what nodes hold in memory
    changed_at    timestamptz not null default clock_timestamp()
);
create index workspaces_changed_at on workspaces (changed_at);

create table api_keys (
    workspace_id  uuid not null,
    id            uuid not null,
    name          text not null,
    prefix        text not null,                            -- sk_live_ and the public part: what lists show
    hash          bytea not null,                           -- SHA-256 of the whole key; the key itself is nowhere
    scopes        text[] not null,
    mode          text not null check (mode in ('live', 'test')),
    created_at    timestamptz not null,
    expires_at    timestamptz,
    revoked_at    timestamptz,
    rotated_to    uuid,
    last_used_at  timestamptz,
    constraint api_keys_pkey primary key (workspace_id, id)
);
create index api_keys_hash on api_keys (hash);

create table data_protection_keys (
    id            text primary key,
    xml           text not null,
    created_at    timestamptz not null default clock_timestamp()
);

create table signal_types (
    workspace_id  uuid not null,
    key           text not null,
    name          text not null,
    description   text,
    origin        text not null check (origin in ('builtin', 'custom', 'auto')),
    autoqualify   boolean not null,
    enabled       boolean not null,
    sub_rules     jsonb not null default '[]',              -- [{"name": …, "when": …}]
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    constraint signal_types_pkey primary key (workspace_id, key)
);

-- An ICP or persona; what it says is in its versions, which never change.
create table definitions (
    workspace_id  uuid not null,
    kind          text not null check (kind in ('icp', 'persona')),
    code          text not null,
    id            uuid not null,
    icp_code      text,                                     -- personas: the ICP they belong to
    version_id    uuid not null,                            -- the live one
    version       integer not null,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    constraint definitions_pkey primary key (workspace_id, kind, code),
    constraint definitions_persona_has_icp check ((kind = 'persona') = (icp_code is not null))
);
create table definition_versions (
    workspace_id  uuid not null,
    id            uuid not null,
    definition_id uuid not null,
    version       integer not null,
    body          jsonb not null,
    published_at  timestamptz not null,
    constraint definition_versions_pkey primary key (workspace_id, id)
);
create index definition_versions_of on definition_versions (workspace_id, definition_id, version);

create table accounts (
    workspace_id  uuid not null,
    id            uuid not null,
    name          text,
    name_at       timestamptz,                              -- occurred_at of the signal that gave the name
    domain        text,                                     -- the first domain; all of them are in account_identities
    facts         jsonb not null default '{}',              -- {"employees": {"value": 320, "source": "explicit", "at": …}}
    merged_into   uuid,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    constraint accounts_pkey primary key (workspace_id, id)
);
create index accounts_newest on accounts (workspace_id, created_at desc, id desc);
create index accounts_merged on accounts (workspace_id, merged_into) where merged_into is not null;
create table account_identities (
    workspace_id  uuid not null,
    kind          text not null check (kind in ('domain', 'linkedin', 'name')),
    key           text not null,
    account_id    uuid not null,
    created_at    timestamptz not null,
    constraint account_identities_pkey primary key (workspace_id, kind, key)
);
create index account_identities_of on account_identities (workspace_id, account_id);

create table contacts (
    workspace_id  uuid not null,
    id            uuid not null,
    first_name    text,
    last_name     text,
    title         text,
    seniority     text,
    function      text,
    phone         text,
    names_at      timestamptz,                              -- occurred_at of the signal that gave names, title, phone
    email         text,                                     -- for sending: as given, trimmed, ASCII host
    email_class   text check (email_class in ('work', 'free_mail', 'relay', 'role')),
    linkedin_url  text,
    account_id    uuid,
    account_at    timestamptz,                              -- occurred_at of the signal that gave the account
    attributes    jsonb not null default '{}',
    merged_into   uuid,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    constraint contacts_pkey primary key (workspace_id, id)
);
create index contacts_newest on contacts (workspace_id, created_at desc, id desc);
create index contacts_of_account on contacts (workspace_id, account_id);
create index contacts_merged on contacts (workspace_id, merged_into) where merged_into is not null;
create table contact_identities (
    workspace_id  uuid not null,
    kind          text not null check (kind in ('email', 'linkedin', 'linkedin_urn')),
    key           text not null,
    contact_id    uuid not null,
    display       text not null,                            -- the form for sending and showing
    created_at    timestamptz not null,
    constraint contact_identities_pkey primary key (workspace_id, kind, key)
);
create index contact_identities_of on contact_identities (workspace_id, contact_id);

-- What a newer explicit value replaced.
create table profile_history (
    workspace_id  uuid not null,
    subject_id    uuid not null,                            -- a contact or an account
    id            uuid not null,
    field         text not null,
    value         text,
    replaced_at   timestamptz not null,
    constraint profile_history_pkey primary key (workspace_id, subject_id, id)
);

create table merge_log (
    workspace_id  uuid not null,
    id            uuid not null,
    survivor_id   uuid not null,
    loser_id      uuid not null,
    kind          text not null check (kind in ('contact', 'account')),
    reason        text not null,
    moved_keys    jsonb not null,                           -- [{"kind":…,"key":…}]: what an un-merge gives back
    signal_id     uuid,
    merged_at     timestamptz not null,
    undone_at     timestamptz,
    constraint merge_log_pkey primary key (workspace_id, id)
);
create table merge_candidates (
    workspace_id  uuid not null,
    first_id      uuid not null,                            -- the older of the two
    second_id     uuid not null,
    reason        text not null,
    signal_id     uuid,
    created_at    timestamptz not null,
    constraint merge_candidates_pkey primary key (workspace_id, first_id, second_id)
);
create table do_not_merge (
    workspace_id  uuid not null,
    first_id      uuid not null,
    second_id     uuid not null,
    created_at    timestamptz not null,
    constraint do_not_merge_pkey primary key (workspace_id, first_id, second_id)
);

create table leads (
    workspace_id        uuid not null,
    id                  uuid not null,
    contact_id          uuid,                               -- null: the account's own lead
    account_id          uuid,
    merged_into         uuid,
    icp_code            text,
    icp_score           smallint,
    persona_code        text,
    persona_score       smallint,
    qualified           boolean,
    first_qualified_at  timestamptz,
    scored_signal_id    uuid,
    scored_occurred_at  timestamptz,
    qualification       jsonb,                              -- explanation of the scored signal, re-made when facts change
    signal_count        bigint not null default 0,
    first_source        text,
    last_source         text,
    by_source           jsonb not null default '{}',        -- {"segment": 12}; at most 100 names, the rest under "(other)"
    first_signal_at     timestamptz,
    last_signal_at      timestamptz,
    created_at          timestamptz not null,
    updated_at          timestamptz not null,
    constraint leads_pkey primary key (workspace_id, id),
    constraint leads_about_something check (contact_id is not null or account_id is not null)
);
create unique index leads_contact on leads (workspace_id, contact_id) where contact_id is not null and merged_into is null;
create unique index leads_account on leads (workspace_id, account_id) where contact_id is null and merged_into is null;
create index leads_newest on leads (workspace_id, created_at desc, id desc);
create index leads_merged on leads (workspace_id, merged_into) where merged_into is not null;

-- Accounts whose facts changed and that have more leads than one request scores again: where the upkeep goes on.
create table rescore_queue (
    workspace_id   uuid not null,
    account_id     uuid not null,
    after_lead_id  uuid not null,
    requested_at   timestamptz not null,
    constraint rescore_queue_pkey primary key (workspace_id, account_id)
);

-- One immutable row per captured signal. The id is derived from occurred_at and the deduplication hash, so the primary key
-- is the deduplication key. Context is jsonb so that conditions can be asked of it in SQL.
create table signals (
    workspace_id   uuid not null,
    occurred_at    timestamptz not null,
    id             uuid not null,
    received_at    timestamptz not null,
    type_key       text not null,
    type_sent      text,                                    -- as sent, where it differs from the key
    source         text not null,
    event_name     text,
    bucket         text,
    mode           text not null check (mode in ('live', 'test')),
    backfill       boolean not null,
    autoqualify    boolean not null,                        -- whether the answer showed the qualification
    identity       jsonb not null,
    context        jsonb not null,
    payload_hash   bigint not null,                         -- of event_name and context: tells payload_differs
    contact_id     uuid,
    account_id     uuid,
    lead_id        uuid,
    qualified      boolean,
    icp_code       text,
    icp_score      smallint,
    persona_code   text,
    persona_score  smallint,
    qualification  jsonb,
    warnings       jsonb
) partition by range (occurred_at);
create index signals_received on signals (workspace_id, received_at desc, id desc);
create index signals_of_lead on signals (workspace_id, lead_id, occurred_at desc, id desc);
-- Last of the three: without statistics (a fresh database, a new month) the planner takes the newest of equals, and a duplicate has to be
-- looked up by the key, not by walking the workspace's leads.
alter table signals add constraint signals_pkey primary key (workspace_id, occurred_at, id);

-- Keys that clients chose. Natural keys need no row here: they are the signal's id.
create table idempotency_keys (
    workspace_id   uuid not null,
    mode           text not null,
    key_hash       bytea not null,
    signal_id      uuid not null,
    occurred_at    timestamptz not null,
    content_hash   bytea not null,                          -- 8 bytes for each field as the client sent it
    created_at     timestamptz not null,
    constraint idempotency_keys_pkey primary key (workspace_id, mode, key_hash)
);

-- What batches of signals used, as they were stored: plain rows that nobody updates, so that no batch waits for another one that
-- counts for the same workspace. A loop adds them up into the two tables below; usage is the sum of all three.
create table usage_batches (
    workspace_id   uuid not null,
    slot           timestamptz not null,
    events         bigint not null,
    counted_today  bigint not null                          -- those of them that cost the day: not the test signals
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create table usage_slots (                                  -- 10 s each; read at start so that a restart forgets nothing
    workspace_id   uuid not null,
    slot           timestamptz not null,
    events         bigint not null,
    constraint usage_slots_pkey primary key (workspace_id, slot)
);
create table usage_days (
    workspace_id   uuid not null,
    day            date not null,
    events         bigint not null,
    constraint usage_days_pkey primary key (workspace_id, day)
);

create table webhook_endpoints (
    workspace_id         uuid not null,
    id                   uuid not null,
    url                  text not null,
    description          text,
    events               text[] not null,
    filter               jsonb not null default '{}',       -- {"signal_types":[],"sources":[],"projects":[],"priorities":[],"when":null}
    secret               bytea not null,                    -- encrypted; shown once
    previous_secret      bytea,                             -- signs too until previous_secret_until
    previous_secret_until timestamptz,
    signature_header     text not null,
    timeout_seconds      smallint not null check (timeout_seconds between 1 and 30),
    retry_policy         text not null check (retry_policy in ('standard', 'short', 'custom')),
    schedule             integer[],                         -- custom: seconds before each retry
    max_per_second       integer,
    ordered              boolean not null default false,
    enabled              boolean not null,
    disabled_reason      text,
    disabled_at          timestamptz,
    consecutive_failures integer not null default 0,
    failing_since        timestamptz,                       -- of the first failure after the last success
    last_success_at      timestamptz,
    last_failure_at      timestamptz,
    probe_at             timestamptz,                       -- breaker open: when the next probe may go out
    created_at           timestamptz not null,
    updated_at           timestamptz not null,
    constraint webhook_endpoints_pkey primary key (workspace_id, id)
) with (fillfactor = 70);                                   -- health is written often and in place

-- The body is stored once per event, as the bytes that are signed.
create table webhook_events (
    workspace_id   uuid not null,
    created_at     timestamptz not null,                    -- the millisecond that the id carries
    id             uuid not null,
    type           text not null,
    signal_id      uuid,
    lead_id        uuid,
    body           bytea not null,
    constraint webhook_events_pkey primary key (workspace_id, created_at, id)
) partition by range (created_at);

-- A pending delivery lives here and only here; the statement that ends it moves it to the history.
create table delivery_queue (
    workspace_id   uuid not null,
    id             uuid not null,
    endpoint_id    uuid not null,
    event_id       uuid not null,
    event_type     text not null,
    signal_id      uuid,
    lead_id        uuid,
    created_at     timestamptz not null,                    -- the millisecond that id and event_id carry
    queued_at      timestamptz not null,
    next_at        timestamptz not null,                    -- schedule and lease in one
    attempt        integer not null default 0,              -- only grows: fence and header
    step           integer not null default 0,              -- position in the schedule; reset by retry and replay
    claims         smallint not null default 0,             -- since the last outcome: 0 waits, more than 1 outlived a claimer
    trigger        text not null default 'schedule' check (trigger in ('schedule', 'manual', 'replay')),
    last_status    smallint,
    last_error     text,
    constraint delivery_queue_pkey primary key (workspace_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0, fillfactor = 70);
create index delivery_queue_due on delivery_queue (workspace_id, endpoint_id, next_at, id);

create table delivery_history (
    workspace_id   uuid not null,
    created_at     timestamptz not null,
    id             uuid not null,
    endpoint_id    uuid not null,
    event_id       uuid not null,
    event_type     text not null,
    signal_id      uuid,
    lead_id        uuid,
    queued_at      timestamptz not null,
    ended_at       timestamptz not null,
    state          text not null check (state in ('delivered', 'failed', 'cancelled', 'skipped')),
    reason         text,
    attempt        integer not null,
    step           integer not null,
    last_status    smallint,
    last_error     text,
    constraint delivery_history_pkey primary key (workspace_id, created_at, id)
) partition by range (created_at);
create index delivery_history_endpoint on delivery_history (workspace_id, endpoint_id, created_at desc, id desc);
create index delivery_history_signal on delivery_history (workspace_id, signal_id) where signal_id is not null;

create view deliveries as
    select workspace_id, id, endpoint_id, event_id, event_type, signal_id, lead_id, created_at, queued_at,
           null::timestamptz as ended_at, 'pending'::text as state, null::text as reason, attempt, step,
           next_at as next_attempt_at, last_status, last_error
      from delivery_queue
    union all
    select workspace_id, id, endpoint_id, event_id, event_type, signal_id, lead_id, created_at, queued_at,
           ended_at, state, reason, attempt, step, null, last_status, last_error
      from delivery_history;

create table delivery_attempts (
    workspace_id      uuid not null,
    at                timestamptz not null,
    delivery_id       uuid not null,
    attempt           integer not null,
    endpoint_id       uuid not null,
    trigger           text not null,
    status_code       smallint,
    error_class       text,
    error_detail      text,
    resolved_ip       text,
    request_headers   jsonb not null,
    response_headers  jsonb,
    response_body     text,                                 -- first 16 KB, made printable
    response_truncated boolean not null default false,
    connect_ms        double precision,
    first_byte_ms     double precision,
    duration_ms       double precision not null,
    next_attempt_at   timestamptz,
    constraint delivery_attempts_pkey primary key (workspace_id, delivery_id, attempt, at)
) partition by range (at);

-- Monthly partitions. Range tables have no default partition (a month could not be added under its rows): the months before
-- the first one share one partition, later months are made ahead by a job and, should one be missing, by whoever needs it.
create function add_month(parent text, month date) returns void language plpgsql as $$
declare
    first date := date_trunc('month', month)::date;
    name  text := parent || to_char(first, '_YYYY_MM');
begin
    if to_regclass(name) is not null then return; end if;
    begin
        execute format('create table %I partition of %I for values from (%L) to (%L)', name, parent,
            to_char(first, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(first + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
    exception when invalid_object_definition then null;     -- overlaps: the partition of the months before the first one has it
    end;
    -- A delivery carries the millisecond of its event, so wherever an event fits its delivery's end fits too.
    if parent = 'webhook_events' then perform add_month('delivery_history', month); end if;
end $$;

do $$
declare
    this_month date := date_trunc('month', clock_timestamp() at time zone 'UTC')::date;
    first_signals date := (this_month - interval '24 months')::date;
begin
    execute format('create table signals_before partition of signals for values from (minvalue) to (%L)',
        to_char(first_signals, 'YYYY-MM-DD') || ' 00:00:00+00');
    for i in 0..26 loop
        perform add_month('signals', (first_signals + make_interval(months => i))::date);
    end loop;
    -- Nothing received or sent is older than the installation, but a clock may be set back.
    for i in -1..2 loop
        perform add_month('webhook_events', (this_month + make_interval(months => i))::date);
        perform add_month('delivery_attempts', (this_month + make_interval(months => i))::date);
    end loop;
end $$;
