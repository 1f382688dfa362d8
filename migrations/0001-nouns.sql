-- The nouns of the core. Ids are made by the platform (uuid v4); times have milliseconds; sealed values are bytea.

create table users (
  id uuid primary key,
  username text not null,
  email text not null check (email = lower(email)),
  name text not null,
  disabled boolean not null default false,
  password_hash text not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  last_login_at timestamptz(3)
);
create unique index users_username_key on users (lower(username));
create unique index users_email_key on users (email);

create table teams (
  id uuid primary key,
  name text not null constraint teams_name_key unique,
  description text not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null
);

create table memberships (
  team_id uuid not null references teams on delete cascade,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz(3) not null,
  primary key (team_id, user_id)
);
create index memberships_user on memberships (user_id);

create table tokens (
  id uuid primary key,
  kind text not null check (kind in ('session', 'personal', 'team')),
  user_id uuid references users on delete cascade,
  team_id uuid references teams on delete cascade,
  name text not null,
  hash text not null constraint tokens_hash_key unique,
  hint text not null,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3),
  last_used_at timestamptz(3)
) with (fillfactor = 80);
create index tokens_user on tokens (user_id, created_at);
create index tokens_team on tokens (team_id, created_at);
create index tokens_expiry on tokens (expires_at) where expires_at is not null;

create table roles (
  id uuid primary key,
  name text not null constraint roles_name_key unique,
  context text not null,
  description text not null,
  permissions text[] not null
);

create table role_assignments (
  role_id uuid not null references roles on delete cascade,
  subject text not null check (subject in ('user', 'token')),
  subject_id uuid not null,
  context_id uuid,
  unique nulls not distinct (role_id, subject, subject_id, context_id)
);
create index role_assignments_subject on role_assignments (subject, subject_id);

create table pools (
  id uuid primary key,
  name text not null constraint pools_name_key unique,
  engine text not null,
  is_default boolean not null default false,
  created_at timestamptz(3) not null
);
create unique index pools_default_key on pools (is_default) where is_default;

create table sizes (
  id uuid primary key,
  name text not null constraint sizes_name_key unique,
  description text not null,
  memory_bytes bigint not null check (memory_bytes > 0),
  cpu_shares integer not null check (cpu_shares > 0),
  pids integer not null check (pids > 0),
  is_default boolean not null default false,
  deprecated boolean not null default false,
  price_cents integer not null default 0
);
create unique index sizes_default_key on sizes (is_default) where is_default;

create table spaces (
  id uuid primary key,
  name text not null,
  team_id uuid references teams on delete cascade,
  pool_id uuid not null references pools on delete restrict,
  description text not null,
  compliance text[] not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  constraint spaces_name_key unique nulls not distinct (team_id, name)
);

-- A row with deleted_at keeps its handle and name reserved until it is purged.
create table apps (
  id uuid primary key,
  name text not null,
  handle text not null constraint apps_handle_key unique,
  team_id uuid not null references teams on delete restrict,
  space_id uuid not null references spaces on delete restrict,
  pool_id uuid not null references pools on delete restrict,
  description text not null,
  labels text[] not null,
  features jsonb not null,
  maintenance boolean not null,
  stopped boolean not null,
  restart_generation integer not null,
  current_release_id uuid,
  created_by text not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  released_at timestamptz(3),
  deleted_at timestamptz(3),
  last_build_number integer not null default 0,
  last_release_version integer not null default 0,
  constraint apps_name_key unique (space_id, name)
) with (fillfactor = 80);
create index apps_list on apps (name, id) where deleted_at is null;
create index apps_team on apps (team_id, name, id);
create index apps_pool on apps (pool_id, name, id);

create table processes (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  type text not null,
  command text,
  quantity integer not null check (quantity >= 0),
  size_id uuid not null references sizes on delete restrict,
  port integer check (port between 1 and 65535),
  routed boolean not null,
  health_path text,
  restart_generation integer not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  constraint processes_type_key unique (app_id, type)
) with (fillfactor = 80);

-- `value` is sealed for `config/<source>/<owner id>/<name>`.
create table config_vars (
  source text not null check (source in ('space', 'addon', 'app')),
  owner_id uuid not null,
  name text not null,
  value bytea not null,
  description text not null,
  required boolean not null,
  updated_at timestamptz(3) not null,
  primary key (owner_id, source, name)
);

-- `environment` is one sealed JSON object, for `config-snapshot/<id>`.
create table config_snapshots (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  environment bytea not null,
  created_at timestamptz(3) not null default now()
);
create index config_snapshots_app on config_snapshots (app_id);

create table artifacts (
  digest text primary key,
  size_bytes bigint not null check (size_bytes >= 0),
  processes jsonb not null,
  buildpack text not null,
  created_at timestamptz(3) not null
);

-- No foreign key to apps: a build is still found after its app is gone, until retention takes it.
-- `source` is sealed JSON, for `build-source/<id>`.
create table builds (
  id uuid primary key,
  app_id uuid not null,
  number integer not null,
  status text not null check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  source bytea not null,
  description jsonb not null,
  artifact_digest text,
  failure_code text,
  failure_message text,
  created_by text not null,
  created_at timestamptz(3) not null,
  started_at timestamptz(3),
  finished_at timestamptz(3),
  updated_at timestamptz(3) not null,
  constraint builds_number_key unique (app_id, number)
);

create table releases (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  version integer not null,
  kind text not null check (kind in ('deploy', 'rollback', 'config')),
  status text not null check (status in ('pending', 'succeeded', 'failed', 'superseded')),
  artifact_digest text not null,
  build_id uuid references builds on delete set null,
  config_snapshot_id uuid not null references config_snapshots deferrable initially deferred,
  commands jsonb not null,
  strategy text not null check (strategy in ('one-by-one', 'all-at-once', 'hot-swap')),
  description text not null,
  rollback_of uuid,
  failure_code text,
  failure_message text,
  created_by text not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  constraint releases_version_key unique (app_id, version)
);
create index releases_pending on releases (app_id, version) where status = 'pending';
create index releases_build on releases (build_id) where build_id is not null;
create index releases_snapshot on releases (config_snapshot_id);

create table instances (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  release_id uuid not null,
  process_type text not null,
  generation text not null,
  state text not null check (state in ('starting', 'ready', 'draining', 'crashed')),
  node_id text,
  host text,
  port integer,
  restarts integer not null,
  retry_at timestamptz(3),
  failure_code text,
  failure_message text,
  created_at timestamptz(3) not null,
  ready_at timestamptz(3),
  updated_at timestamptz(3) not null
) with (fillfactor = 70);
create index instances_app on instances (app_id, created_at, id);
create index instances_routable on instances (app_id) where state = 'ready';

create table domains (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  hostname text not null,
  path_prefix text not null,
  replace_prefix text,
  created_at timestamptz(3) not null,
  constraint domains_place_key unique (hostname, path_prefix)
);
create index domains_app on domains (app_id, hostname, path_prefix);

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

create table quotas (
  subject text not null check (subject in ('team', 'user', 'app')),
  subject_id uuid not null,
  kind text not null check (kind in ('apps', 'instances')),
  "limit" integer not null check ("limit" >= -1),
  primary key (subject, subject_id, kind)
);
