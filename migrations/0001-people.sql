-- Who uses the platform, and what they may do.
-- Ids are made by the platform (uuid v4); times have milliseconds; sealed values are bytea.

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

create table quotas (
  subject text not null check (subject in ('team', 'user', 'app')),
  subject_id uuid not null,
  kind text not null check (kind in ('apps', 'instances')),
  "limit" integer not null check ("limit" >= -1),
  primary key (subject, subject_id, kind)
);
