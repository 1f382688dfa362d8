-- What happened, and what is being done.

-- Sequences are taken in another order than transactions commit: a reader that goes by sequence alone would step over one that commits
-- late. So before a transaction takes its first, it shares a lock whose key says "all of mine are above this". Locks go with the
-- transaction, however it ends, and block nobody. What lies below every such lock is settled.
create sequence events_sequence;
select setval('events_sequence', 1);
create table events (
  sequence bigint primary key,
  id uuid not null unique,
  kind text not null,
  at timestamptz(3) not null,
  actor_name text not null,
  actor_id uuid,
  team_id uuid,
  space_id uuid,
  app_id uuid,
  data jsonb not null
);
create index events_app on events (app_id, sequence desc);
create index events_space on events (space_id, sequence desc);
create index events_actor on events (actor_name, sequence desc);
create index events_kind on events (kind, sequence desc);
create index events_at on events (at);

-- The keys of these locks are 7700 * 2^40 + a sequence.
create function events_number() returns trigger language plpgsql volatile as $$
declare
  mine text := pg_current_xact_id()::text;
begin
  if current_setting('berth.events_locked_by', true) is distinct from mine then
    perform pg_advisory_xact_lock_shared((7700::bigint << 40) + (select last_value from events_sequence));
    perform set_config('berth.events_locked_by', mine, true);
  end if;
  new.sequence := nextval('events_sequence');
  return new;
end $$;
create trigger events_number before insert on events for each row execute function events_number();

-- The last sequence below which no transaction can add an event any more. Read the events with a statement of their own after it.
create function events_settled() returns bigint language plpgsql volatile as $$
declare
  newest bigint;
  oldest bigint;
begin
  -- In this order: whoever locks after the first line takes sequences above `newest`.
  select last_value into newest from events_sequence;
  select min(key) into oldest
  from (
    select ((classid::bigint << 32) | objid::bigint) - (7700::bigint << 40) as key from pg_locks
    where locktype = 'advisory' and objsubid = 1 and mode = 'ShareLock'
      and database = (select oid from pg_database where datname = current_database())
  ) as locks
  where key between 0 and (1::bigint << 40) - 1;
  return least(newest, coalesce(oldest, newest));
end $$;

-- No foreign key to apps: the outcome of a deletion is read after the app is gone.
create table operations (
  id uuid primary key,
  kind text not null check (kind in ('build', 'deploy', 'scale', 'restart', 'stop', 'start', 'delete')),
  app_id uuid,
  subject_id uuid,
  status text not null check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  cancel_requested boolean not null,
  attempts integer not null,
  error text,
  holder text,
  lease_until timestamptz(3),
  created_at timestamptz(3) not null,
  started_at timestamptz(3),
  finished_at timestamptz(3)
) with (fillfactor = 70);
create index operations_claim on operations (kind, created_at, id) where status in ('queued', 'running');
create index operations_open on operations (app_id, created_at) where status in ('queued', 'running');
create index operations_subject on operations (subject_id, created_at desc);
create index operations_finished on operations (finished_at) where finished_at is not null;

create table leases (
  name text primary key,
  holder text not null,
  lease_until timestamptz(3) not null
) with (fillfactor = 70);
