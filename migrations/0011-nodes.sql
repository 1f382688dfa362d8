-- Machines of the engines that have several.

-- `tls` is sealed JSON, for `node/<id>`; null: what the engine's own settings say. `lost` has, by app, how many instances were on the node
-- when it went down; it is emptied when they run elsewhere.
create table nodes (
  id uuid primary key,
  pool_id uuid not null references pools on delete restrict,
  address text not null constraint nodes_address_key unique,
  is_home boolean not null,
  tls bytea,
  metadata jsonb not null,
  cordoned boolean not null,
  draining boolean not null,
  removing boolean not null,
  state text not null check (state in ('joining', 'ready', 'down')),
  state_message text,
  state_since timestamptz(3) not null,
  lost jsonb not null default '{}',
  created_at timestamptz(3) not null
);
create unique index nodes_home_key on nodes (is_home) where is_home;
create index nodes_pool on nodes (pool_id);

alter table operations drop constraint operations_kind_check;
alter table operations add constraint operations_kind_check check (kind in (
  'build', 'deploy', 'scale', 'restart', 'stop', 'start', 'delete', 'addon',
  'node-add', 'node-drain', 'node-remove', 'node-move', 'rebalance'
));
