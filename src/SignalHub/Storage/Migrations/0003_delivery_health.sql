-- What breaker, pace, order and auto-disable need of an endpoint and of a waiting delivery.

alter table webhook_endpoints
    add column failed_deliveries integer not null default 0,    -- since the last success; each delivery counts with its first failed try
    add column warned_at         timestamptz,                   -- when endpoint.failing was raised for this failing period
    add column paced_until       timestamptz;                   -- max_per_second: up to here the seconds have been given out

-- A delivery's place among those of its (endpoint, lead); null: unordered. A sequence costs what has no order nothing.
create sequence delivery_ordinals;
alter table delivery_queue add column ordinal bigint;
create index delivery_queue_ordered on delivery_queue (workspace_id, endpoint_id, lead_id, ordinal) where ordinal is not null;
