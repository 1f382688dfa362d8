-- How people show who they are over SSH, whom they let work on an app, and under which certificates it answers.

create table ssh_keys (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  name text not null,
  type text not null,
  content text not null,
  fingerprint text not null constraint ssh_keys_fingerprint_key unique,
  created_at timestamptz(3) not null,
  constraint ssh_keys_name_key unique (user_id, name)
);

-- The e-mail address that was invited. Pending until a user has accepted; then the invitation's token is gone.
create table collaborators (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  email text not null check (email = lower(email)),
  user_id uuid references users on delete cascade,
  token_hash text constraint collaborators_token_key unique,
  inviter_id uuid,
  inviter_name text not null,
  inviter_email text not null,
  created_at timestamptz(3) not null,
  accepted_at timestamptz(3),
  constraint collaborators_email_key unique (app_id, email),
  constraint collaborators_user_key unique (app_id, user_id),
  check ((user_id is null) = (accepted_at is null)),
  check ((user_id is null) = (token_hash is not null))
);
create index collaborators_user on collaborators (user_id) where user_id is not null;

-- `private_key` is sealed for `certificate/<domain id>`.
create table certificates (
  domain_id uuid primary key references domains on delete cascade,
  certificate_pem text not null,
  private_key bytea not null,
  subject text not null,
  issuer text not null,
  fingerprint text not null,
  key_type text not null,
  valid_from timestamptz(3) not null,
  valid_until timestamptz(3) not null,
  created_at timestamptz(3) not null
);
