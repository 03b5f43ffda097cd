-- A stream's version is that of its last event: a column for it would cost every append one more page to write.
CREATE TABLE edict_streams (
  id INTEGER PRIMARY KEY,
  stream_id TEXT NOT NULL UNIQUE,
  category TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'archived', 'deleted')),
  metadata TEXT
) STRICT;

-- What many events have in common, as one small number in each of them. One index on it serves reading by category and by type.
CREATE TABLE edict_kinds (
  id INTEGER PRIMARY KEY,
  category TEXT NOT NULL,
  type TEXT NOT NULL,
  schema_version INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  UNIQUE (category, type, schema_version, content_type)
) STRICT;

CREATE INDEX edict_kinds_of_type ON edict_kinds (type);

CREATE TABLE edict_events (
  position INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL REFERENCES edict_streams (id),
  version INTEGER NOT NULL,
  kind INTEGER NOT NULL REFERENCES edict_kinds (id),
  created_at INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  command_id TEXT NOT NULL,
  -- NULL where it is the command's own id, as it mostly is.
  causation_id TEXT,
  correlation_id TEXT,
  tenant TEXT,
  -- NULL where there is none.
  metadata TEXT,
  -- 1 where the data is text that UTF-8 cannot hold, and is kept as UTF-16.
  utf16 INTEGER,
  -- Text or a blob, as the serializer gave it; NULL in a tombstone.
  data ANY,
  UNIQUE (stream, version)
) STRICT;

CREATE INDEX edict_events_of_kind ON edict_events (kind);

-- Serves repeated commands, and the correlation of all events that have their command's id for it.
CREATE INDEX edict_events_of_command ON edict_events (command_id, stream);

CREATE INDEX edict_events_of_correlation ON edict_events (correlation_id) WHERE correlation_id IS NOT NULL;

CREATE INDEX edict_events_of_tenant ON edict_events (tenant) WHERE tenant IS NOT NULL;

CREATE TABLE edict_snapshots (
  stream_id TEXT PRIMARY KEY,
  category TEXT NOT NULL,
  stream_version INTEGER NOT NULL,
  snapshot_version INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  utf16 INTEGER,
  data ANY NOT NULL
) STRICT;

CREATE TABLE edict_checkpoints (
  name TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  event_index INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  -- NULL once it is released.
  owner TEXT,
  lease INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

-- One count for all checkpoints, which outlives each of them: no epoch is given twice.
CREATE TABLE edict_epochs (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_epoch INTEGER NOT NULL
) STRICT;

INSERT INTO edict_epochs (id, last_epoch) VALUES (1, 0);

CREATE TABLE edict_publications (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  -- From view to table, as a JSON object.
  tables TEXT NOT NULL
) STRICT;
