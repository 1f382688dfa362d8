-- What happened, and what is being done.

-- Sequences are taken in another order than transactions commit. A reader that goes by sequence alone would step over one that commits
-- late. So each row keeps a barrier: every transaction that took a lower sequence is older than it. Once all older than the barrier have
-- ended, nothing can appear below the row any more.
create sequence events_sequence;
create table events (
  sequence bigint primary key,
  barrier xid8 not null,
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

create function events_number() returns trigger language plpgsql volatile as $$
begin
  -- In this order: the transaction's own number exists before its sequence is taken; the barrier is read after.
  perform pg_current_xact_id();
  new.sequence := nextval('events_sequence');
  select pg_snapshot_xmax(pg_current_snapshot()) into new.barrier;
  return new;
end $$;
create trigger events_number before insert on events for each row execute function events_number();

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
