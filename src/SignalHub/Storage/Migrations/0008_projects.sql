-- Projects: named watches over signals; the contacts of a company for the event they raise; the format of an endpoint.

create table projects (
    workspace_id       uuid not null,
    id                 uuid not null,
    name               text not null,
    description        text,
    signal_types       text[] not null,                     -- keys; empty: any
    sources            text[] not null,                     -- empty: any
    condition          text,
    priorities         jsonb not null default '[]',         -- [{"when":"…","priority":"high"}], the first that matches counts
    recommended_action text,                                -- template
    created_at         timestamptz not null,
    updated_at         timestamptz not null,
    constraint projects_pkey primary key (workspace_id, id)
);

-- The newest contacts of a company come from the index as they are wanted, however many it has.
create index contacts_newest_of_account on contacts (workspace_id, account_id, created_at desc, id desc);
drop index if exists contacts_of_account;

alter table webhook_endpoints add column format text not null default 'json' check (format in ('json', 'slack'));

-- The event as a Slack message; null: no endpoint wanted it so when it was raised.
alter table webhook_events add column slack_body bytea;
