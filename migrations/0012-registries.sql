-- What teams sign in with to registries of images. `password` is sealed for `registry/<team id>/<host>`.
create table registries (
  id uuid primary key,
  team_id uuid not null references teams on delete cascade,
  host text not null check (host = lower(host)),
  username text not null,
  password bytea not null,
  created_at timestamptz(3) not null,
  constraint registries_host_key unique (team_id, host)
);

create index builds_artifact on builds (artifact_digest) where artifact_digest is not null;
