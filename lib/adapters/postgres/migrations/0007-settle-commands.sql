-- Ends commands, each of which stands once in a call, and gives the places of those that it ended. An epoch is null for what a
-- caller ran, which goes back to no queue and blocks nobody.
CREATE FUNCTION "edict".settle_commands(
  ids text[], hold_streams text[], hold_lanes smallint[], hold_epochs bigint[], states text[], failures text[], results text[],
  counted boolean[], delays bigint[]
) RETURNS bigint[]
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $settle_commands$
#variable_conflict use_column
DECLARE
  now_ms bigint := "edict".now_ms();
  settled bigint[];
  held_streams text[];
  held_lanes smallint[];
BEGIN
  PERFORM "edict".commit_durably();
  PERFORM FROM "edict".command_groups g
  JOIN (SELECT DISTINCT h.stream_id, h.lane FROM unnest(hold_streams, hold_lanes) AS h (stream_id, lane)) x
    ON x.stream_id = g.stream_id AND x.lane = g.lane
  ORDER BY g.stream_id, g.lane FOR UPDATE OF g;

  -- The snapshot of this statement is younger than the locks: it has whatever was enqueued before them.
  WITH given AS MATERIALIZED (
    SELECT s.*, c.position, c.stream_id, c.lane, c.strict
    FROM unnest(ids, hold_streams, hold_lanes, hold_epochs, states, failures, results, counted, delays) WITH ORDINALITY
      AS s (id, hold_stream, hold_lane, epoch, state, failure, result, counted, delay, place)
    JOIN "edict".commands c ON c.command_id = s.id
    LEFT JOIN "edict".command_groups g
      ON g.stream_id = c.stream_id AND g.lane = c.lane AND g.epoch = s.epoch AND g.owner IS NOT NULL
    WHERE s.epoch IS NULL OR (g.epoch IS NOT NULL AND c.stream_id = s.hold_stream AND c.lane = s.hold_lane)
  ), ended AS (
    DELETE FROM "edict".command_queue q USING given n
    WHERE n.state NOT IN ('delayed', 'queued') AND q.stream_id = n.stream_id AND q.lane = n.lane
      AND q.waiting = (n.epoch IS NULL) AND q.position = n.position AND q.state = 'running'
    RETURNING
      n.place, n.epoch, n.strict, n.state, n.result, q.position, q.stream_id, q.lane, q.due_at,
      q.attempts + CASE WHEN n.counted THEN 1 ELSE 0 END AS attempts, coalesce(n.failure, q.failure) AS failure
  ), outcomes AS (
    INSERT INTO "edict".command_outcomes (position, due_at, changed_at, attempts, lane, state, failure, result)
    SELECT e.position, e.due_at, now_ms, e.attempts, e.lane, e.state, e.failure, e.result FROM ended e
  ), kept AS (
    UPDATE "edict".command_queue q SET
      state = n.state,
      waiting = n.state = 'delayed',
      delayed_until = now_ms + n.delay,
      due_at = coalesce(now_ms + n.delay, q.due_at),
      attempts = q.attempts + CASE WHEN n.state = 'delayed' THEN 1 ELSE 0 END,
      failure = coalesce(n.failure, q.failure),
      changed_at = now_ms
    FROM given n
    WHERE n.state IN ('delayed', 'queued') AND q.stream_id = n.stream_id AND q.lane = n.lane
      AND NOT q.waiting AND q.position = n.position AND q.state = 'running'
    RETURNING n.place, n.epoch, n.strict, q.state, q.position, q.stream_id, q.lane
  ), done AS (
    SELECT e.place, e.epoch, e.epoch IS NOT NULL AND e.strict AND e.state = 'dead' AS blocks, e.position, e.stream_id, e.lane FROM ended e
    UNION ALL
    SELECT k.place, k.epoch, k.strict AND k.state = 'delayed', k.position, k.stream_id, k.lane FROM kept k
  ), blockers AS (
    INSERT INTO "edict".command_blockers (position, lane, stream_id)
    SELECT d.position, d.lane, d.stream_id FROM done d WHERE d.blocks
    ON CONFLICT DO NOTHING
  )
  SELECT
    array_agg(d.place),
    array_agg(d.stream_id) FILTER (WHERE d.epoch IS NOT NULL),
    array_agg(d.lane) FILTER (WHERE d.epoch IS NOT NULL)
  INTO settled, held_streams, held_lanes
  FROM done d;

  IF held_streams IS NOT NULL THEN
    WITH looked AS MATERIALIZED (
      SELECT x.stream_id, x.lane, g.running - x.settled AS running,
        (SELECT q.position FROM "edict".command_queue q
         WHERE q.stream_id = x.stream_id AND q.lane = x.lane AND NOT q.waiting ORDER BY q.position LIMIT 1) AS first,
        (SELECT b.position FROM "edict".command_blockers b
         WHERE b.stream_id = x.stream_id AND b.lane = x.lane ORDER BY b.position LIMIT 1) AS blocker
      FROM (
        SELECT u.stream_id, u.lane, count(*) AS settled FROM unnest(held_streams, held_lanes) AS u (stream_id, lane)
        GROUP BY u.stream_id, u.lane
      ) x
      JOIN "edict".command_groups g ON g.stream_id = x.stream_id AND g.lane = x.lane
    ), gone AS (
      DELETE FROM "edict".command_groups g USING looked l
      WHERE g.stream_id = l.stream_id AND g.lane = l.lane AND l.running = 0 AND l.first IS NULL AND l.blocker IS NULL
    )
    UPDATE "edict".command_groups g SET
      running = l.running,
      blocked_by = l.blocker,
      owner = CASE WHEN l.running > 0 THEN g.owner END,
      lease_until = CASE WHEN l.running > 0 THEN g.lease_until END,
      -- Of one whose lease has run out the next claim looks anew what is ready.
      ready = CASE WHEN l.running > 0 THEN NULL WHEN l.blocker IS NULL OR l.first < l.blocker THEN l.first END
    FROM looked l
    WHERE g.stream_id = l.stream_id AND g.lane = l.lane
      AND (l.running > 0 OR l.first IS NOT NULL OR l.blocker IS NOT NULL);
  END IF;
  RETURN settled;
END
$settle_commands$;

-- Cancels commands that wait, replays or discards dead letters, as change says. Gives the ids of those that it changed.
CREATE FUNCTION "edict".change_commands(change text, ids text[]) RETURNS text[]
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $change_commands$
#variable_conflict use_column
DECLARE
  now_ms bigint := "edict".now_ms();
  streams text[];
  lanes smallint[];
  places bigint[];
  changed bigint[];
BEGIN
  PERFORM "edict".commit_durably();
  SELECT array_agg(c.stream_id), array_agg(c.lane), array_agg(c.position) INTO streams, lanes, places
  FROM (SELECT DISTINCT u.id FROM unnest(ids) AS u (id)) x JOIN "edict".commands c ON c.command_id = x.id;
  IF streams IS NULL THEN RETURN '{}'; END IF;
  PERFORM "edict".lock_command_groups(streams, lanes);
  CASE change
    WHEN 'cancel' THEN
      WITH cancelled AS (
        DELETE FROM "edict".command_queue q
        USING unnest(streams, lanes, places) AS x (stream_id, lane, position)
        WHERE q.stream_id = x.stream_id AND q.lane = x.lane AND q.waiting IN (false, true) AND q.position = x.position
          AND q.state <> 'running'
        RETURNING q.*
      ), outcomes AS (
        INSERT INTO "edict".command_outcomes (position, due_at, changed_at, attempts, lane, state, failure)
        SELECT c.position, c.due_at, now_ms, c.attempts, c.lane, 'cancelled', c.failure FROM cancelled c
      )
      SELECT array_agg(c.position) INTO changed FROM cancelled c;
    WHEN 'replay' THEN
      WITH replayed AS (
        DELETE FROM "edict".command_outcomes o WHERE o.position = ANY (places) AND o.state = 'dead' RETURNING o.*
      ), queued AS (
        INSERT INTO "edict".command_queue (position, due_at, changed_at, attempts, lane, waiting, state, stream_id, failure)
        SELECT r.position, now_ms, now_ms, 0, r.lane, false, 'queued', c.stream_id, r.failure
        FROM replayed r JOIN "edict".commands c ON c.position = r.position
      )
      SELECT array_agg(r.position) INTO changed FROM replayed r;
      UPDATE "edict".commands c SET by_caller = false WHERE c.position = ANY (changed) AND c.by_caller;
    WHEN 'discard' THEN
      WITH discarded AS (
        UPDATE "edict".command_outcomes o SET state = 'discarded', changed_at = now_ms
        WHERE o.position = ANY (places) AND o.state = 'dead' RETURNING o.position
      )
      SELECT array_agg(d.position) INTO changed FROM discarded d;
  END CASE;
  DELETE FROM "edict".command_blockers b USING unnest(streams, lanes, places) AS x (stream_id, lane, position)
  WHERE b.stream_id = x.stream_id AND b.lane = x.lane AND b.position = x.position AND b.position = ANY (changed);
  PERFORM "edict".refresh_command_groups(streams, lanes);
  RETURN (SELECT array_agg(c.command_id) FROM "edict".commands c WHERE c.position = ANY (changed));
END
$change_commands$;

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

-- Forgets commands that have been over for so many milliseconds, and says how many.
CREATE FUNCTION "edict".purge_commands(older_than bigint, most bigint) RETURNS bigint
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $purge_commands$
#variable_conflict use_column
DECLARE
  purged bigint[];
BEGIN
  SELECT array_agg(p.position) INTO purged
  FROM (
    SELECT o.position FROM "edict".command_outcomes o
    WHERE o.changed_at <= "edict".now_ms() - older_than AND o.state <> 'dead'
    ORDER BY o.changed_at LIMIT most FOR UPDATE SKIP LOCKED
  ) p;
  DELETE FROM "edict".command_outcomes o WHERE o.position = ANY (purged);
  DELETE FROM "edict".commands c WHERE c.position = ANY (purged);
  RETURN coalesce(cardinality(purged), 0);
END
$purge_commands$;
