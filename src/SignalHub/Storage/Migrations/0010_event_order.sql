-- The order in which events were written: those of one lead often share a millisecond, and ids are hashes below that. A replay
-- to an ordered endpoint goes by it. Null: written before there was an order.
create sequence event_ordinals;
alter table webhook_events add column ordinal bigint;
alter table webhook_events alter column ordinal set default nextval('event_ordinals');
