-- What they run.

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
