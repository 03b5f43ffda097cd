-- What a command asks for is written once. Where it stands until it is over is a small row of command_queue, and how it has ended one of
-- command_outcomes: so that what changes often is small and few, and what is over costs nothing but its room.
--
-- not_before is null for what could be run at once. causation_id and correlation_id are null where they are the command's own id.
-- Data is kept as that of events is.
CREATE TABLE "edict".commands (
  position bigint NOT NULL,
  enqueued_at bigint NOT NULL,
  created_at bigint NOT NULL,
  not_before bigint,
  deadline bigint,
  depth bigint NOT NULL,
  lane smallint NOT NULL,
  data_format smallint NOT NULL,
  strict boolean NOT NULL,
  by_caller boolean NOT NULL,
  command_id text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  causation_id text COLLATE "C",
  correlation_id text COLLATE "C",
  tenant text COLLATE "C",
  fingerprint text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C",
  content_type text COLLATE "C" NOT NULL,
  metadata text COLLATE "C" NOT NULL,
  options text COLLATE "C" NOT NULL,
  data text COLLATE "C",
  data_bytes bytea,
  CONSTRAINT commands_pkey PRIMARY KEY (position),
  CONSTRAINT commands_data_format_check CHECK (data_format BETWEEN 0 AND 2)
);
CREATE UNIQUE INDEX commands_command_key ON "edict".commands (command_id);
CREATE UNIQUE INDEX commands_tenant_idempotency_key ON "edict".commands (tenant, idempotency_key)
  WHERE tenant IS NOT NULL AND idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX commands_idempotency_key ON "edict".commands (idempotency_key)
  WHERE tenant IS NULL AND idempotency_key IS NOT NULL;
CREATE INDEX commands_correlation_idx ON "edict".commands (correlation_id, position) WHERE correlation_id IS NOT NULL;
CREATE SEQUENCE "edict".command_position;

-- Those that are not over. waiting: no worker may take it, as it is delayed, or run by its caller. What a claim looks for are the first
-- of a group that do not wait, and there is just one index that has them. The state is in no index, so that to take a command
-- writes none; for that its page has room.
--
-- expires_at: the deadline of one that nobody has begun, which from then on is expired, whatever its row says. Null where there is none,
-- and where somebody may have begun it, so that what came of it has to be looked for first. Those that were tried are not meant either.
CREATE TABLE "edict".command_queue (
  position bigint NOT NULL,
  due_at bigint NOT NULL,
  delayed_until bigint,
  changed_at bigint NOT NULL,
  attempts bigint NOT NULL,
  lane smallint NOT NULL,
  waiting boolean NOT NULL,
  state text COLLATE "C" NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  failure text COLLATE "C",
  expires_at bigint,
  CONSTRAINT command_queue_pkey PRIMARY KEY (stream_id, lane, waiting, position),
  CONSTRAINT command_queue_state_check CHECK (state IN ('delayed', 'queued', 'running'))
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX command_queue_delayed_idx ON "edict".command_queue (delayed_until) WHERE delayed_until IS NOT NULL;
CREATE INDEX command_queue_expires_idx ON "edict".command_queue (expires_at) WHERE expires_at IS NOT NULL AND attempts = 0;

-- Those that are over, and dead letters.
CREATE TABLE "edict".command_outcomes (
  position bigint NOT NULL,
  due_at bigint NOT NULL,
  changed_at bigint NOT NULL,
  attempts bigint NOT NULL,
  lane smallint NOT NULL,
  state text COLLATE "C" NOT NULL,
  failure text COLLATE "C",
  result text COLLATE "C",
  CONSTRAINT command_outcomes_pkey PRIMARY KEY (position),
  CONSTRAINT command_outcomes_state_check
    CHECK (state IN ('completed', 'rejected', 'dead', 'expired', 'cancelled', 'discarded'))
);
CREATE INDEX command_outcomes_state_idx ON "edict".command_outcomes (state, lane, position);
CREATE INDEX command_outcomes_changed_idx ON "edict".command_outcomes (changed_at) WHERE state <> 'dead';

-- Strict commands that wait for their next attempt, or are dead: no later one of their group is run.
CREATE TABLE "edict".command_blockers (
  position bigint NOT NULL,
  lane smallint NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  CONSTRAINT command_blockers_pkey PRIMARY KEY (stream_id, lane, position)
);

-- The commands of a stream and lane of which some do not wait, or that are blocked. Whoever changes what a group has to do holds the
-- lock of its row, and takes several of them in the order of their keys. ready: the first command that may be run, while nobody has
-- the group. Once its lease has run out, ready is the one that was being run. blocked_by: the first blocker. running: how many
-- commands its owner has taken and not settled.
CREATE TABLE "edict".command_groups (
  ready bigint,
  blocked_by bigint,
  epoch bigint NOT NULL DEFAULT 0,
  lease_until bigint,
  running bigint NOT NULL DEFAULT 0,
  lane smallint NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  owner text COLLATE "C",
  CONSTRAINT command_groups_pkey PRIMARY KEY (stream_id, lane)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX command_groups_ready_idx ON "edict".command_groups (lane, ready) WHERE ready IS NOT NULL;
CREATE INDEX command_groups_lease_idx ON "edict".command_groups (lease_until) WHERE lease_until IS NOT NULL;
-- One sequence for all groups: a group whose row was deleted gets an epoch above that of its former owner.
CREATE SEQUENCE "edict".command_epoch;

-- Milliseconds since the epoch, when it is asked, not when the transaction began.
CREATE FUNCTION "edict".now_ms() RETURNS bigint
LANGUAGE sql VOLATILE
AS $now_ms$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $now_ms$;

-- What is acknowledged is on disk, whatever the role's own setting is.
CREATE FUNCTION "edict".commit_durably() RETURNS void
LANGUAGE plpgsql
AS $commit_durably$
BEGIN
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
END
$commit_durably$;

-- Locks groups in the order of their keys, and makes those that are not there. To be followed by refresh_command_groups.
CREATE FUNCTION "edict".lock_command_groups(streams text[], lanes smallint[]) RETURNS void
LANGUAGE sql
AS $lock_command_groups$
  INSERT INTO "edict".command_groups AS g (stream_id, lane)
  SELECT DISTINCT x.stream_id COLLATE "C", x.lane FROM unnest(streams, lanes) AS x (stream_id, lane) ORDER BY 1, 2
  ON CONFLICT (stream_id, lane) DO UPDATE SET running = g.running WHERE false
$lock_command_groups$;

-- Writes down what groups whose lock is held have to do next, and forgets those that have nothing.
CREATE FUNCTION "edict".refresh_command_groups(streams text[], lanes smallint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $refresh_command_groups$
#variable_conflict use_column
BEGIN
  WITH looked AS MATERIALIZED (
    SELECT x.stream_id, x.lane,
      (SELECT q.position FROM "edict".command_queue q
       WHERE q.stream_id = x.stream_id AND q.lane = x.lane AND NOT q.waiting ORDER BY q.position LIMIT 1) AS first,
      (SELECT b.position FROM "edict".command_blockers b
       WHERE b.stream_id = x.stream_id AND b.lane = x.lane ORDER BY b.position LIMIT 1) AS blocker
    FROM (SELECT DISTINCT u.stream_id, u.lane FROM unnest(streams, lanes) AS u (stream_id, lane)) x
  ), gone AS (
    DELETE FROM "edict".command_groups g USING looked l
    WHERE g.stream_id = l.stream_id AND g.lane = l.lane AND g.owner IS NULL AND l.first IS NULL AND l.blocker IS NULL
  )
  UPDATE "edict".command_groups g SET
    blocked_by = l.blocker,
    ready = CASE WHEN g.owner IS NOT NULL THEN g.ready WHEN l.blocker IS NULL OR l.first < l.blocker THEN l.first END
  FROM looked l
  WHERE g.stream_id = l.stream_id AND g.lane = l.lane
    AND (g.owner IS NOT NULL OR l.first IS NOT NULL OR l.blocker IS NOT NULL);
END
$refresh_command_groups$;
