CREATE TABLE edict_commands (
  -- No place is given twice, not even that of a command that was forgotten.
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  command_id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (
    state IN ('delayed', 'queued', 'running', 'completed', 'rejected', 'dead', 'expired', 'cancelled', 'discarded')
  ),
  stream_id TEXT NOT NULL,
  lane INTEGER NOT NULL,
  strict INTEGER NOT NULL,
  by_caller INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  enqueued_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  deadline INTEGER,
  depth INTEGER NOT NULL,
  type TEXT NOT NULL,
  content_type TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  idempotency_key TEXT,
  tenant TEXT,
  -- NULL where it is the command's own id, as it mostly is.
  causation_id TEXT,
  correlation_id TEXT,
  -- JSON; NULL where there is nothing in it.
  metadata TEXT,
  options TEXT,
  failure TEXT,
  result TEXT,
  -- 1 where the data is text that UTF-8 cannot hold, and is kept as UTF-16.
  utf16 INTEGER,
  data ANY,
  -- What it is to the other commands of its stream and lane; NULL where they have nothing to do with it.
  stage TEXT GENERATED ALWAYS AS (
    CASE
      WHEN by_caller = 1 THEN NULL
      WHEN state = 'queued' THEN 'due'
      WHEN state = 'running' THEN 'running'
      WHEN strict = 1 AND (state = 'dead' OR (state = 'delayed' AND attempts > 0)) THEN 'blocking'
    END
  ) VIRTUAL
) STRICT;

-- Those that are over, which are nearly all, are in none of the first four.
CREATE INDEX edict_commands_of_group ON edict_commands (stream_id, lane, position) WHERE stage IS NOT NULL;

CREATE INDEX edict_commands_to_come ON edict_commands (due_at) WHERE state = 'delayed';

CREATE INDEX edict_commands_by_state ON edict_commands (state, position, lane, due_at)
  WHERE state IN ('delayed', 'queued', 'running', 'dead');

CREATE UNIQUE INDEX edict_commands_of_key ON edict_commands (ifnull(tenant, ''), idempotency_key)
  WHERE idempotency_key IS NOT NULL;

CREATE INDEX edict_commands_of_correlation ON edict_commands (correlation_id) WHERE correlation_id IS NOT NULL;

CREATE INDEX edict_commands_over ON edict_commands (changed_at)
  WHERE state IN ('completed', 'rejected', 'expired', 'cancelled', 'discarded');

-- The streams and lanes of which something is due, is running or keeps others waiting.
CREATE TABLE edict_command_groups (
  stream_id TEXT NOT NULL,
  lane INTEGER NOT NULL,
  -- Of the first that is due; NULL where it has to wait for a strict one. It means nothing while somebody holds the group.
  next_position INTEGER,
  -- NULL while nobody holds it.
  owner TEXT,
  epoch INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER,
  -- How many are running under this hold.
  running INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (stream_id, lane)
) STRICT, WITHOUT ROWID;

CREATE INDEX edict_command_groups_due ON edict_command_groups (lane, next_position)
  WHERE owner IS NULL AND next_position IS NOT NULL;

CREATE INDEX edict_command_groups_held ON edict_command_groups (expires_at) WHERE owner IS NOT NULL;
