-- Where the tries to deliver an event are traced: the W3C traceparent of the request that caused it, when that was sampled.
-- Once per event, not per delivery, and a null costs a bit.
alter table webhook_events add column traceparent text;
