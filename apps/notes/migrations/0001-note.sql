create table note (
  id integer generated always as identity primary key,
  title text not null,
  body text not null default '',
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

comment on column note.version is 'Counts the edits, so that a client can tell a late event from a new one';
