-- The headers of a try as lines of "name: value": half the size of the objects they were, and nothing parses them on the way in.
create function header_lines(headers jsonb) returns text language sql immutable as
    $$ select coalesce(string_agg(key || ': ' || value, E'\n'), '') from jsonb_each_text(headers) $$;
alter table delivery_attempts
    alter column request_headers type text using header_lines(request_headers),
    alter column response_headers type text using case when response_headers is not null then header_lines(response_headers) end;
drop function header_lines(jsonb);
