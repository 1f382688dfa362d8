-- Apps that somebody keeps at hand. The owner is a name, not a row: an API may speak for people that have no account here.

create table favorites (
  owner text not null,
  app_id uuid not null references apps on delete cascade,
  created_at timestamptz(3) not null,
  primary key (owner, app_id)
);
create index favorites_app on favorites (app_id);
