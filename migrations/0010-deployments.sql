-- Whether a build is released as soon as it has succeeded.
alter table builds add column auto_release boolean not null default false;
