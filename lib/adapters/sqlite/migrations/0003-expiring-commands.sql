-- The deadline of a command that nobody has begun: from then on it is expired, whatever its row says. NULL where there is none, and
-- where somebody may have begun it, so that what came of it has to be looked for first.
ALTER TABLE edict_commands ADD COLUMN expires_at INTEGER;

UPDATE edict_commands SET expires_at = deadline
  WHERE state IN ('delayed', 'queued') AND deadline IS NOT NULL AND changed_at = enqueued_at;

CREATE INDEX edict_commands_expiring ON edict_commands (expires_at)
  WHERE expires_at IS NOT NULL AND state IN ('delayed', 'queued');
