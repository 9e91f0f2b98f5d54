-- What the nodes know together of a workspace's usage: written by compare and swap on the version, read whole or not at all.
-- Unlogged: after a crash of the server it is empty, and begins again with usage_slots and usage_days.
create unlogged table usage_ledgers (
    workspace_id   uuid not null,
    version        bigint not null,
    ledger         bytea not null,          -- UsageLedger.ToBytes
    written_at     timestamptz not null,
    constraint usage_ledgers_pkey primary key (workspace_id)
) with (fillfactor = 50);               -- each write finds room on the page, so that it needs no index entry
