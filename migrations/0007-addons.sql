-- Services, their plans, add-ons made of them, and what binds add-ons to apps.

-- `manifest` is sealed JSON, for `service/<id>`; null for services that the platform brings.
create table services (
  id uuid primary key,
  name text not null constraint services_name_key unique,
  label text not null,
  short_description text not null,
  description text not null,
  category text not null,
  logo_url text,
  provider text not null,
  provider_name text not null,
  provider_url text,
  team_id uuid references teams on delete restrict,
  shareable boolean not null,
  multiple boolean not null,
  doc text not null,
  manifest bytea,
  manifest_user text constraint services_user_key unique,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null
);

create table plans (
  id uuid primary key,
  service_id uuid not null references services on delete cascade,
  name text not null,
  label text not null,
  description text not null,
  price_cents integer not null check (price_cents >= 0),
  limits jsonb not null,
  attributes jsonb not null,
  position integer not null,
  created_at timestamptz(3) not null,
  constraint plans_name_key unique (service_id, name)
);

-- No foreign key to apps: an add-on of a deleted app stays until its provider has removed it.
-- `secret` is sealed for `addon-secret/<id>`, `config` for `addon-config/<id>`.
create table addons (
  id uuid primary key,
  name text not null,
  service_id uuid not null references services on delete restrict,
  plan_id uuid not null references plans on delete restrict,
  wanted_plan_id uuid references plans on delete restrict,
  team_id uuid not null references teams on delete restrict,
  app_id uuid,
  state text not null check (state in ('provisioning', 'running', 'failed', 'removing')),
  state_description text not null,
  resource_id text,
  over_limit boolean not null,
  description text not null,
  tags text[] not null,
  parameters jsonb not null,
  secret bytea not null,
  config bytea,
  created_by text not null,
  changed_by text not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  provisioned_at timestamptz(3),
  constraint addons_name_key unique (service_id, name)
);
create index addons_list on addons (name, id);
create index addons_app on addons (app_id, created_at);
create index addons_team on addons (team_id, name, id);
create index addons_resource on addons (service_id, resource_id) where resource_id is not null;
create index addons_plan on addons (plan_id);
create index addons_wanted_plan on addons (wanted_plan_id) where wanted_plan_id is not null;

-- No foreign key to apps either. Its variables are config_vars of source `addon` whose owner is the binding.
create table bindings (
  id uuid primary key,
  addon_id uuid not null references addons on delete restrict,
  app_id uuid not null,
  app_handle text not null,
  name text not null,
  prefix text not null,
  state text not null check (state in ('binding', 'bound', 'failed', 'unbinding')),
  state_description text not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  constraint bindings_place_key unique (addon_id, app_id),
  constraint bindings_name_key unique (app_id, name)
);

alter table operations drop constraint operations_kind_check;
alter table operations add constraint operations_kind_check
  check (kind in ('build', 'deploy', 'scale', 'restart', 'stop', 'start', 'delete', 'addon'));
