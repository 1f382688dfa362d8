-- Processes that run an image, ports, volumes and links of their own.

alter table processes
  add column image text,
  add column entrypoint text,
  add column arguments jsonb,
  add column ports integer[] not null default '{}',
  add column pod text,
  add column mounts jsonb not null default '[]',
  add column links jsonb not null default '[]',
  add column stopped boolean not null default false;
update processes set ports = array[port] where port is not null;
alter table processes drop column port;
create index processes_linked on processes (app_id) where links <> '[]';

-- Null: an app all of whose processes run images of their own.
alter table releases alter column artifact_digest drop not null;
alter table releases add column processes jsonb not null default '{}';

alter table instances
  add column series integer not null default 0,
  add column ordinal integer not null default 0,
  add column routed boolean not null default true;

-- Healthy ones get into the routing table before they count as ready.
drop index instances_routable;
create index instances_routable on instances (app_id) where ready_at is not null and state in ('starting', 'ready');

-- Null: the processes that get the requests of the app's default host.
alter table domains
  add column process_type text,
  add column port integer check (port between 1 and 65535);

alter table config_vars drop constraint config_vars_source_check;
alter table config_vars add constraint config_vars_source_check check (source in ('space', 'addon', 'app', 'process'));

create table volumes (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  process_type text not null,
  seat text not null,
  path text not null,
  size_bytes bigint,
  created_at timestamptz(3) not null,
  constraint volumes_place_key unique (app_id, process_type, seat, path)
);

-- What a client keeps with an app; the platform never reads it. `value` is sealed for `annotation/<app id>/<name>`.
create table annotations (
  app_id uuid not null references apps on delete cascade,
  name text not null,
  value bytea not null,
  updated_at timestamptz(3) not null,
  primary key (app_id, name)
);
