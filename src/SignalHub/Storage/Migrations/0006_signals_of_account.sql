-- The timeline of a company, and its signals by id. A signal keeps the company it had, so neither the company's lead nor its people lead to all
-- of them. Partial: a duplicate must be looked up by the primary key, which the planner cannot mistake this one for.
create index signals_of_account on signals (workspace_id, account_id, occurred_at desc, id desc) where account_id is not null;
