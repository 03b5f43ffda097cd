-- Writes down when commands that were just stored expire. To be called in the statement that stores them. begun: those of whom there was
-- a dead letter before.
CREATE FUNCTION "edict".set_expiries(stored bigint[], statuses text[], begun text[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $set_expiries$
#variable_conflict use_column
BEGIN
  UPDATE "edict".command_queue q SET expires_at = c.deadline
  FROM unnest(stored, statuses) AS s (position, status) JOIN "edict".commands c ON c.position = s.position
  WHERE coalesce(s.status, 'e') = 'e' AND c.deadline IS NOT NULL AND NOT c.by_caller AND (c.command_id = ANY (begun)) IS NOT TRUE
    AND q.stream_id = c.stream_id AND q.lane = c.lane AND q.waiting IN (false, true) AND q.position = c.position;
END
$set_expiries$;

-- Ends commands that nobody has begun in time, of the places given, or any where these are null. Says how many.
CREATE FUNCTION "edict".expire_commands(now_ms bigint, places bigint[], most bigint) RETURNS bigint
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $expire_commands$
#variable_conflict use_column
DECLARE
  streams text[];
  lanes smallint[];
  late bigint[];
BEGIN
  IF places IS NULL THEN
    SELECT array_agg(l.stream_id), array_agg(l.lane), array_agg(l.position) INTO streams, lanes, late
    FROM (
      SELECT q.stream_id, q.lane, q.position FROM "edict".command_queue q
      WHERE q.expires_at <= now_ms AND q.expires_at IS NOT NULL AND q.attempts = 0 AND q.state <> 'running'
      ORDER BY q.expires_at LIMIT most
    ) l;
  ELSE
    SELECT array_agg(q.stream_id), array_agg(q.lane), array_agg(q.position) INTO streams, lanes, late
    FROM unnest(places) AS p (position)
    JOIN "edict".commands c ON c.position = p.position
    JOIN "edict".command_queue q
      ON q.stream_id = c.stream_id AND q.lane = c.lane AND q.waiting IN (false, true) AND q.position = c.position
    WHERE q.expires_at <= now_ms AND q.attempts = 0 AND q.state <> 'running';
  END IF;
  IF streams IS NULL THEN RETURN 0; END IF;
  PERFORM "edict".commit_durably();
  PERFORM "edict".lock_command_groups(streams, lanes);
  -- Under the locks, as others may have claimed some meanwhile.
  WITH expired AS (
    DELETE FROM "edict".command_queue q USING unnest(streams, lanes, late) AS x (stream_id, lane, position)
    WHERE q.stream_id = x.stream_id AND q.lane = x.lane AND q.waiting IN (false, true) AND q.position = x.position
      AND q.expires_at <= now_ms AND q.attempts = 0 AND q.state <> 'running'
    RETURNING q.*
  )
  INSERT INTO "edict".command_outcomes (position, due_at, changed_at, attempts, lane, state, failure)
  SELECT
    e.position, e.due_at, greatest(e.expires_at, (SELECT c.enqueued_at FROM "edict".commands c WHERE c.position = e.position)),
    e.attempts, e.lane, 'expired', e.failure
  FROM expired e;
  PERFORM "edict".refresh_command_groups(streams, lanes);
  RETURN cardinality(late);
END
$expire_commands$;

-- Claims commands that may be begun still. A call that finds something else to be done first does that and no more, as locks of groups are
-- taken once in a transaction: its only row has -1 for next_in, and it is to be called again.
CREATE FUNCTION "edict".claim_commands_in_time(claimer text, most_groups bigint, most_of_each bigint, lease bigint)
RETURNS TABLE (
  next_in bigint, claim_epoch bigint,
  command_position bigint, enqueued_at bigint, created_at bigint, deadline bigint, depth bigint, lane smallint, data_format smallint,
  strict boolean, by_caller boolean, command_id text, type text, stream_id text, causation_id text, correlation_id text,
  tenant text, fingerprint text, idempotency_key text, content_type text, metadata text, options text, data text,
  data_bytes bytea, state text, due_at bigint, attempts bigint, failure text, result text, changed_at bigint
)
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $claim_commands_in_time$
#variable_conflict use_column
DECLARE
  now_ms bigint := "edict".now_ms();
  streams text[];
  lanes smallint[];
BEGIN
  IF EXISTS (
    SELECT FROM "edict".command_queue q
    WHERE q.expires_at <= now_ms AND q.expires_at IS NOT NULL AND q.attempts = 0 AND q.state <> 'running'
  ) THEN
    PERFORM "edict".expire_commands(now_ms, NULL, 1000);
    next_in := -1;
    RETURN NEXT;
    RETURN;
  END IF;
  -- An owner whose lease runs out may have begun what it has not settled, also those that go back as if it had not. The claim itself is
  -- a little later than this.
  IF EXISTS (SELECT FROM "edict".command_groups g WHERE g.lease_until <= now_ms + 1000) THEN
    SELECT array_agg(l.stream_id), array_agg(l.lane) INTO streams, lanes
    FROM (
      SELECT g.stream_id, g.lane FROM "edict".command_groups g
      WHERE g.lease_until <= now_ms + 1000
        AND EXISTS (
          SELECT FROM (
            SELECT q.expires_at FROM "edict".command_queue q
            WHERE q.stream_id = g.stream_id AND q.lane = g.lane AND NOT q.waiting AND q.state = 'running'
            ORDER BY q.position LIMIT g.running
          ) r
          WHERE r.expires_at IS NOT NULL
        )
      ORDER BY g.stream_id, g.lane FOR UPDATE SKIP LOCKED
    ) l;
    IF streams IS NOT NULL THEN
      UPDATE "edict".command_queue q SET expires_at = NULL
      FROM (
        SELECT g.stream_id, g.lane, w.position
        FROM unnest(streams, lanes) AS l (stream_id, lane)
        JOIN "edict".command_groups g ON g.stream_id = l.stream_id AND g.lane = l.lane
        CROSS JOIN LATERAL (
          SELECT r.position FROM "edict".command_queue r
          WHERE r.stream_id = g.stream_id AND r.lane = g.lane AND NOT r.waiting AND r.state = 'running'
          ORDER BY r.position LIMIT g.running
        ) w
      ) x
      WHERE q.stream_id = x.stream_id AND q.lane = x.lane AND NOT q.waiting AND q.position = x.position AND q.expires_at IS NOT NULL;
      next_in := -1;
      RETURN NEXT;
      RETURN;
    END IF;
  END IF;
  RETURN QUERY SELECT * FROM "edict".claim_commands(claimer, most_groups, most_of_each, lease);
END
$claim_commands_in_time$;

-- Cancels commands that wait, but not those that are expired. Gives the ids of those that it cancelled.
CREATE FUNCTION "edict".cancel_commands(ids text[]) RETURNS text[]
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $cancel_commands$
#variable_conflict use_column
BEGIN
  PERFORM "edict".expire_commands(
    "edict".now_ms(),
    (SELECT coalesce(array_agg(c.position), '{}') FROM "edict".commands c WHERE c.command_id = ANY (ids)),
    NULL
  );
  RETURN "edict".change_commands('cancel', ids);
END
$cancel_commands$;
