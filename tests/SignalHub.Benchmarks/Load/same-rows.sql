-- What the service stores for one signal, in one transaction: contact and account with their keys (got or made), the lead
-- (made or counted up), the signal, its event, two deliveries, and the usage of the workspace. Ids are computed in the
-- statements and texts come from bench_sample, so nothing has to be asked first or sent: all in favour of pgbench.
\set p random(0, 4999)
\set c :p % 1000
\set w :p % 200
\set r random(1, 9000000000000000000)
begin;
with found as (select 1 from account_identities where workspace_id = bench_id('w', :w) and kind = 'domain' and key = bench_domain(:c)),
     made as (insert into accounts (workspace_id, id, domain, created_at, updated_at)
              select bench_id('w', :w), bench_id('a', :c), bench_domain(:c), now(), now() where not exists (select from found) on conflict do nothing)
insert into account_identities (workspace_id, kind, key, account_id, created_at)
select bench_id('w', :w), 'domain', bench_domain(:c), bench_id('a', :c), now() where not exists (select from found) on conflict do nothing;
with found as (select 1 from contact_identities where workspace_id = bench_id('w', :w) and kind = 'email' and key = bench_email(:p, :c)),
     made as (insert into contacts (workspace_id, id, first_name, last_name, title, seniority, function, names_at, email, email_class, account_id, account_at, created_at, updated_at)
              select bench_id('w', :w), bench_id('c', :p), 'Jane', 'Doe', 'VP Engineering', 'vp', 'engineering', now(), bench_email(:p, :c), 'work',
                     bench_id('a', :c), now(), now(), now() where not exists (select from found) on conflict do nothing)
insert into contact_identities (workspace_id, kind, key, contact_id, display, created_at)
select bench_id('w', :w), 'email', bench_email(:p, :c), bench_id('c', :p), bench_email(:p, :c), now() where not exists (select from found) on conflict do nothing;
update contacts set names_at = now(), account_at = now(), updated_at = now() where workspace_id = bench_id('w', :w) and id = bench_id('c', :p);
insert into leads as l (workspace_id, id, contact_id, account_id, icp_code, icp_score, persona_code, persona_score, qualified, first_qualified_at,
                        scored_signal_id, scored_occurred_at, qualification, signal_count, first_source, last_source, by_source,
                        first_signal_at, last_signal_at, created_at, updated_at)
select bench_id('w', :w), bench_id('l', :p), bench_id('c', :p), bench_id('a', :c), s.icp_code, s.icp_score, s.persona_code, s.persona_score, true, now(),
       bench_time_id('s', :r), now(), s.qualification, 1, 'segment', 'segment', '{"segment": 1}', now(), now(), now(), now()
  from bench_sample s
on conflict (workspace_id, id) do update set
    scored_signal_id = excluded.scored_signal_id, scored_occurred_at = excluded.scored_occurred_at, qualification = excluded.qualification,
    signal_count = l.signal_count + 1, last_source = excluded.last_source,
    by_source = jsonb_set(l.by_source, '{segment}', to_jsonb(l.signal_count + 1)), last_signal_at = excluded.last_signal_at, updated_at = excluded.updated_at;
insert into signals (workspace_id, occurred_at, id, received_at, type_key, source, event_name, mode, backfill, autoqualify, identity, context, payload_hash,
                     contact_id, account_id, lead_id, qualified, icp_code, icp_score, persona_code, persona_score, qualification)
select bench_id('w', :w), now(), bench_time_id('s', :r), now(), 'custom_event', 'segment', 'user_invited_teammate', 'live', false, true,
       s.identity, s.context, :r, bench_id('c', :p), bench_id('a', :c), bench_id('l', :p), true, s.icp_code, s.icp_score, s.persona_code, s.persona_score, s.qualification
  from bench_sample s;
insert into webhook_events (workspace_id, created_at, id, type, signal_id, lead_id, body)
select bench_id('w', :w), now(), bench_time_id('e', :r), 'signal.qualified', bench_time_id('s', :r), bench_id('l', :p), s.body from bench_sample s;
insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, signal_id, lead_id, created_at, queued_at, next_at)
select bench_id('w', :w), bench_time_id(e.name, :r), bench_id(e.name, :w), bench_time_id('e', :r), 'signal.qualified', bench_time_id('s', :r), bench_id('l', :p), now(), now(), now()
  from (values ('1'), ('2')) e(name);
insert into usage_batches (workspace_id, slot, events, counted_today) values (bench_id('w', :w), date_bin('10 seconds', now(), timestamptz '2000-01-01'), 1, 1);
commit;
