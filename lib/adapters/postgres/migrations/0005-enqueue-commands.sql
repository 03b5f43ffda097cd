-- Stores commands, in the order given and in one round trip. positions: where each is stored, or where the one is that was stored
-- before. statuses: null where all were stored; else e enqueued, k known, d duplicate. reserved: null, but where this function goes on
-- with commands whose positions are given already.
--
-- A call that waits for another one's commands, as they have the same ids, has no lock of a group yet; and groups are locked in one
-- order. So calls wait for each other only where they store several of the same commands.
CREATE FUNCTION "edict".enqueue_commands(
  ids text[], types text[], content_types text[], formats smallint[], texts text[], bytes bytea[], metadatas text[],
  optionses text[], correlations text[], causations text[], tenants text[], streams text[], lanes smallint[], stricts boolean[],
  fingerprints text[], idempotency_keys text[], not_befores bigint[], delays bigint[], deadlines bigint[], depths bigint[],
  createds bigint[], by_callers boolean[], reserved bigint[],
  OUT positions bigint[], OUT statuses text[]
)
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $enqueue_commands$
#variable_conflict use_column
DECLARE
  now_ms bigint := "edict".now_ms();
  written bigint;
  other record;
  again record;
  replaced bigint[];
BEGIN
  PERFORM "edict".commit_durably();
  positions := reserved;
  IF reserved IS NULL THEN
    SELECT array_agg(nextval('"edict".command_position')) INTO positions FROM generate_series(1, cardinality(ids));
  END IF;
  WITH stored AS (
    INSERT INTO "edict".commands AS c (
      position, enqueued_at, created_at, not_before, deadline, depth, lane, data_format, strict, by_caller, command_id, type, stream_id,
      causation_id, correlation_id, tenant, fingerprint, idempotency_key, content_type, metadata, options, data, data_bytes
    )
    SELECT
      x.position, now_ms, x.created_at, coalesce(now_ms + x.delay, x.not_before), x.deadline, x.depth, x.lane, x.format, x.strict,
      x.by_caller, x.id, x.type, x.stream_id, x.causation_id, x.correlation_id, x.tenant, x.fingerprint, x.idempotency_key,
      x.content_type, x.metadata, x.options, x.data, x.data_bytes
    FROM unnest(
      positions, ids, types, content_types, formats, texts, bytes, metadatas, optionses, correlations, causations, tenants, streams,
      lanes, stricts, fingerprints, idempotency_keys, not_befores, delays, deadlines, depths, createds, by_callers
    ) AS x (
      position, id, type, content_type, format, data, data_bytes, metadata, options, correlation_id, causation_id, tenant, stream_id,
      lane, strict, fingerprint, idempotency_key, not_before, delay, deadline, depth, created_at, by_caller
    )
    ON CONFLICT DO NOTHING
    RETURNING c.position, c.stream_id, c.lane, c.by_caller, CASE WHEN c.not_before > now_ms THEN c.not_before END AS delayed_until
  ), queued AS (
    INSERT INTO "edict".command_queue (position, due_at, delayed_until, changed_at, attempts, lane, waiting, state, stream_id)
    SELECT
      s.position, coalesce(s.delayed_until, now_ms), CASE WHEN NOT s.by_caller THEN s.delayed_until END, now_ms, 0, s.lane,
      s.by_caller OR s.delayed_until IS NOT NULL,
      CASE WHEN s.by_caller THEN 'running' WHEN s.delayed_until IS NOT NULL THEN 'delayed' ELSE 'queued' END,
      s.stream_id
    FROM stored s
  ), grouped AS (
    INSERT INTO "edict".command_groups AS g (stream_id, lane, ready)
    SELECT s.stream_id, s.lane, min(s.position) FROM stored s
    WHERE NOT s.by_caller AND s.delayed_until IS NULL
    GROUP BY s.stream_id, s.lane ORDER BY s.stream_id, s.lane
    ON CONFLICT (stream_id, lane) DO UPDATE SET ready = excluded.ready
    WHERE g.owner IS NULL AND (g.ready IS NULL OR g.ready > excluded.ready)
      AND (g.blocked_by IS NULL OR g.blocked_by > excluded.ready)
  )
  SELECT count(*) INTO written FROM stored;
  IF written = cardinality(ids) THEN RETURN; END IF;

  -- Some ids or keys are there already.
  statuses := array_fill('e'::text, ARRAY[cardinality(ids)]);
  FOR place IN 1 .. cardinality(ids) LOOP
    CONTINUE WHEN EXISTS (SELECT FROM "edict".commands c WHERE c.position = positions[place]);
    replaced := '{}';
    FOR other IN
      SELECT c.position, c.fingerprint, o.state
      FROM (
        SELECT 1 AS nth, i.position, i.fingerprint FROM "edict".commands i WHERE i.command_id = ids[place]
        UNION ALL
        SELECT 2, t.position, t.fingerprint FROM "edict".commands t
        WHERE t.tenant = tenants[place] AND t.idempotency_key = idempotency_keys[place] AND t.command_id <> ids[place]
        UNION ALL
        SELECT 2, n.position, n.fingerprint FROM "edict".commands n
        WHERE tenants[place] IS NULL AND n.tenant IS NULL AND n.idempotency_key = idempotency_keys[place]
          AND n.command_id <> ids[place]
      ) c
      LEFT JOIN "edict".command_outcomes o ON o.position = c.position
      ORDER BY c.nth
    LOOP
      IF other.fingerprint <> fingerprints[place] THEN
        statuses[place] := 'd';
      ELSIF other.state IS NULL OR other.state = 'completed' THEN
        statuses[place] := 'k';
      ELSE
        replaced := replaced || other.position;
        CONTINUE;
      END IF;
      positions[place] := other.position;
      EXIT;
    END LOOP;
    CONTINUE WHEN statuses[place] <> 'e';
    PERFORM "edict".forget_commands(replaced);
    SELECT * INTO STRICT again
    FROM "edict".enqueue_commands(
      ids[place:place], types[place:place], content_types[place:place], formats[place:place], texts[place:place],
      bytes[place:place], metadatas[place:place], optionses[place:place], correlations[place:place], causations[place:place],
      tenants[place:place], streams[place:place], lanes[place:place], stricts[place:place], fingerprints[place:place],
      idempotency_keys[place:place], not_befores[place:place], delays[place:place], deadlines[place:place], depths[place:place],
      createds[place:place], by_callers[place:place], ARRAY[positions[place]]
    );
    positions[place] := again.positions[1];
    statuses[place] := coalesce(again.statuses[1], 'e');
  END LOOP;
END
$enqueue_commands$;

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

-- Forgets commands that came to nothing, for others that take their ids or keys.
CREATE FUNCTION "edict".forget_commands(forgotten bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $forget_commands$
#variable_conflict use_column
DECLARE
  streams text[];
  lanes smallint[];
  deleted bigint;
BEGIN
  SELECT array_agg(b.stream_id), array_agg(b.lane) INTO streams, lanes
  FROM "edict".commands c
  JOIN "edict".command_blockers b ON b.stream_id = c.stream_id AND b.lane = c.lane AND b.position = c.position
  WHERE c.position = ANY (forgotten);
  IF streams IS NOT NULL THEN PERFORM "edict".lock_command_groups(streams, lanes); END IF;
  DELETE FROM "edict".command_outcomes o WHERE o.position = ANY (forgotten);
  GET DIAGNOSTICS deleted = ROW_COUNT;
  IF deleted < cardinality(forgotten) THEN
    RAISE EXCEPTION 'edict: a dead letter was replayed meanwhile' USING ERRCODE = 'serialization_failure';
  END IF;
  DELETE FROM "edict".commands c WHERE c.position = ANY (forgotten);
  IF streams IS NOT NULL THEN
    DELETE FROM "edict".command_blockers b
    USING unnest(streams, lanes) AS x (stream_id, lane)
    WHERE b.stream_id = x.stream_id AND b.lane = x.lane AND b.position = ANY (forgotten);
    PERFORM "edict".refresh_command_groups(streams, lanes);
  END IF;
END
$forget_commands$;
