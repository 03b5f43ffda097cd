-- Queues delayed commands whose time has come.
CREATE FUNCTION "edict".promote_commands(now_ms bigint) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $promote_commands$
#variable_conflict use_column
DECLARE
  streams text[];
  lanes smallint[];
  due bigint[];
BEGIN
  SELECT array_agg(d.stream_id), array_agg(d.lane), array_agg(d.position) INTO streams, lanes, due
  FROM (
    SELECT q.stream_id, q.lane, q.position FROM "edict".command_queue q
    WHERE q.delayed_until <= now_ms ORDER BY q.delayed_until LIMIT 1000
  ) d;
  IF streams IS NULL THEN RETURN; END IF;
  PERFORM "edict".lock_command_groups(streams, lanes);
  -- Under the locks, as others may have done so meanwhile, or have taken one back.
  WITH queued AS (
    UPDATE "edict".command_queue q SET waiting = false, delayed_until = NULL, state = 'queued', changed_at = now_ms
    FROM unnest(streams, lanes, due) AS d (stream_id, lane, position)
    WHERE q.stream_id = d.stream_id AND q.lane = d.lane AND q.waiting AND q.position = d.position AND q.delayed_until <= now_ms
    RETURNING q.stream_id, q.lane, q.position
  )
  DELETE FROM "edict".command_blockers b USING queued d
  WHERE b.stream_id = d.stream_id AND b.lane = d.lane AND b.position = d.position;
  PERFORM "edict".refresh_command_groups(streams, lanes);
END
$promote_commands$;

-- Makes groups ready again whose leases have run out: for the one command that was being run. Their owners keep them until somebody
-- claims them.
CREATE FUNCTION "edict".lapse_commands(now_ms bigint) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $lapse_commands$
#variable_conflict use_column
DECLARE
  streams text[];
  lanes smallint[];
BEGIN
  SELECT array_agg(l.stream_id), array_agg(l.lane) INTO streams, lanes
  FROM (
    SELECT g.stream_id, g.lane FROM "edict".command_groups g
    WHERE g.lease_until <= now_ms AND g.ready IS NULL ORDER BY g.lease_until LIMIT 1000 FOR UPDATE SKIP LOCKED
  ) l;
  IF streams IS NULL THEN RETURN; END IF;
  UPDATE "edict".command_groups g SET ready = (
    SELECT q.position FROM "edict".command_queue q
    WHERE q.stream_id = g.stream_id AND q.lane = g.lane AND NOT q.waiting AND q.state = 'running'
      AND (g.blocked_by IS NULL OR q.position < g.blocked_by)
    ORDER BY q.position LIMIT 1
  )
  FROM unnest(streams, lanes) AS x (stream_id, lane)
  WHERE g.stream_id = x.stream_id AND g.lane = x.lane;
  -- What is left of a group that is blocked meanwhile waits with the others.
  UPDATE "edict".command_queue q SET state = 'queued', changed_at = now_ms
  FROM (
    SELECT g.stream_id, g.lane, f.position
    FROM unnest(streams, lanes) AS x (stream_id, lane)
    JOIN "edict".command_groups g ON g.stream_id = x.stream_id AND g.lane = x.lane AND g.ready IS NULL
    CROSS JOIN LATERAL (
      SELECT w.position FROM "edict".command_queue w
      WHERE w.stream_id = g.stream_id AND w.lane = g.lane AND NOT w.waiting AND w.state = 'running'
      ORDER BY w.position LIMIT g.running
    ) f
  ) r
  WHERE q.stream_id = r.stream_id AND q.lane = r.lane AND NOT q.waiting AND q.position = r.position;
  UPDATE "edict".command_groups g SET owner = NULL, lease_until = NULL, running = 0
  FROM unnest(streams, lanes) AS x (stream_id, lane)
  WHERE g.stream_id = x.stream_id AND g.lane = x.lane AND g.ready IS NULL;
  PERFORM "edict".refresh_command_groups(streams, lanes);
END
$lapse_commands$;

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

-- Claims groups and takes their first commands that may be begun still, in the order in which they are to be run. The last row has no
-- command and says, in next_in, in how many milliseconds there will be more. A call that finds something else to be done first does
-- that and no more, as locks of groups are taken once in a transaction: its only row has -1 for next_in, and it is to be called again.
CREATE FUNCTION "edict".claim_commands(claimer text, most_groups bigint, most_of_each bigint, lease bigint)
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
AS $claim_commands$
#variable_conflict use_column
DECLARE
  now_ms bigint := "edict".now_ms();
  streams text[];
  lanes smallint[];
  blockers bigint[];
  lapsed boolean[];
  running bigint[];
  epochs bigint[];
  next_at bigint;
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
  -- An owner whose lease has run out may have begun what it has not settled, also those that go back as if it had not.
  IF EXISTS (SELECT FROM "edict".command_groups g WHERE g.lease_until <= now_ms) THEN
    SELECT array_agg(l.stream_id), array_agg(l.lane) INTO streams, lanes
    FROM (
      SELECT g.stream_id, g.lane FROM "edict".command_groups g
      WHERE g.lease_until <= now_ms
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
  PERFORM "edict".commit_durably();
  IF EXISTS (SELECT FROM "edict".command_queue q WHERE q.delayed_until <= now_ms) THEN
    PERFORM "edict".promote_commands(now_ms);
  END IF;
  IF EXISTS (SELECT FROM "edict".command_groups g WHERE g.lease_until <= now_ms AND g.ready IS NULL) THEN
    PERFORM "edict".lapse_commands(now_ms);
  END IF;

  SELECT
    array_agg(p.stream_id), array_agg(p.lane), array_agg(p.blocked_by), array_agg(p.owner IS NOT NULL),
    array_agg(p.running), array_agg(nextval('"edict".command_epoch'))
  INTO streams, lanes, blockers, lapsed, running, epochs
  FROM (
    SELECT g.* FROM "edict".command_groups g
    WHERE g.ready IS NOT NULL ORDER BY g.lane, g.ready LIMIT most_groups FOR UPDATE SKIP LOCKED
  ) p;

  IF true = ANY (lapsed) THEN
    -- Of what a dead owner has left, the first may have been its end. The others were not begun.
    UPDATE "edict".command_queue q SET
      state = CASE WHEN r.nth = 1 THEN 'running' ELSE 'queued' END,
      attempts = q.attempts + CASE WHEN r.nth = 1 THEN 1 ELSE 0 END,
      changed_at = now_ms
    FROM (
      SELECT x.stream_id, x.lane, f.position, row_number() OVER (PARTITION BY x.place ORDER BY f.position) AS nth
      FROM unnest(streams, lanes, lapsed, running) WITH ORDINALITY AS x (stream_id, lane, lapsed, running, place)
      CROSS JOIN LATERAL (
        SELECT w.position FROM "edict".command_queue w
        WHERE w.stream_id = x.stream_id AND w.lane = x.lane AND NOT w.waiting AND w.state = 'running'
        ORDER BY w.position LIMIT x.running
      ) f
      WHERE x.lapsed
    ) r
    WHERE q.stream_id = r.stream_id AND q.lane = r.lane AND NOT q.waiting AND q.position = r.position;
  END IF;

  IF streams IS NOT NULL THEN
    RETURN QUERY
    WITH first AS MATERIALIZED (
      SELECT x.place, x.stream_id, x.lane, f.position
      FROM unnest(streams, lanes, blockers, lapsed) WITH ORDINALITY AS x (stream_id, lane, blocker, lapsed, place)
      CROSS JOIN LATERAL (
        SELECT q.position FROM "edict".command_queue q
        WHERE q.stream_id = x.stream_id AND q.lane = x.lane AND NOT q.waiting
          AND (x.blocker IS NULL OR q.position < x.blocker) AND (NOT x.lapsed OR q.state = 'running')
        ORDER BY q.position LIMIT CASE WHEN x.lapsed THEN 1 ELSE most_of_each END
      ) f
    ), taken AS (
      UPDATE "edict".command_queue q SET state = 'running', changed_at = now_ms
      FROM first f
      WHERE q.stream_id = f.stream_id AND q.lane = f.lane AND NOT q.waiting AND q.position = f.position
      RETURNING f.place, q.*
    ), held AS (
      UPDATE "edict".command_groups g
      SET owner = claimer, epoch = epochs[t.place], lease_until = now_ms + lease, ready = NULL, running = t.count
      FROM (SELECT n.place, count(*) AS count FROM taken n GROUP BY n.place) t
      WHERE g.stream_id = streams[t.place] AND g.lane = lanes[t.place]
    )
    SELECT
      NULL::bigint, epochs[t.place],
      c.position, c.enqueued_at, c.created_at, c.deadline, c.depth, c.lane, c.data_format, c.strict, c.by_caller, c.command_id,
      c.type, c.stream_id, c.causation_id, c.correlation_id, c.tenant, c.fingerprint, c.idempotency_key, c.content_type,
      c.metadata, c.options, c.data, c.data_bytes, t.state, t.due_at, t.attempts, t.failure, NULL::text, t.changed_at
    FROM taken t JOIN "edict".commands c ON c.position = t.position
    ORDER BY t.place, t.position;
  END IF;

  IF EXISTS (SELECT FROM "edict".command_groups g WHERE g.ready IS NOT NULL) THEN
    -- What is ready and was not taken though there was room is locked by somebody who will soon be done.
    next_in := CASE WHEN cardinality(streams) = most_groups THEN 0 ELSE 20 END;
  ELSE
    SELECT least(
      (SELECT q.delayed_until FROM "edict".command_queue q WHERE q.delayed_until IS NOT NULL ORDER BY q.delayed_until LIMIT 1),
      (SELECT g.lease_until FROM "edict".command_groups g
       WHERE g.lease_until IS NOT NULL AND g.owner <> claimer ORDER BY g.lease_until LIMIT 1)
    ) INTO next_at;
    -- Of nothing at all next_in is null.
    IF next_at IS NOT NULL THEN next_in := greatest(next_at - "edict".now_ms(), 0); END IF;
  END IF;
  RETURN NEXT;
END
$claim_commands$;

-- Lets the leases of an owner begin anew, of all groups that nobody has claimed since.
CREATE FUNCTION "edict".renew_commands(claimer text, lease bigint) RETURNS TABLE (stream_id text, lane smallint, epoch bigint)
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $renew_commands$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH held AS MATERIALIZED (
    SELECT g.stream_id, g.lane FROM "edict".command_groups g
    WHERE g.lease_until IS NOT NULL AND g.owner = claimer ORDER BY g.stream_id, g.lane FOR UPDATE
  )
  UPDATE "edict".command_groups g SET lease_until = "edict".now_ms() + lease, ready = NULL
  FROM held h WHERE g.stream_id = h.stream_id AND g.lane = h.lane
  RETURNING g.stream_id, g.lane, g.epoch;
END
$renew_commands$;
