-- As before, and the events of one stream may be those of several commands: event_commands says whose each is. Null, or null for an
-- event, where it is the command of its stream. A stream with more than one command is not looked through for repeats.
--
-- Where nodes write to the same streams, some of nearly every call have moved on: to put those few back does not take settle, which
-- looks at all that was sent while others wait for the locks.
DROP FUNCTION "edict".append;

CREATE FUNCTION "edict".append(
  streams text[], categories text[], expected bigint[], counts bigint[], commands text[], deduplicate boolean[],
  firsts bigint[], groups integer[],
  event_streams integer[], event_behind bigint[], event_ids text[], event_types text[], event_schema_versions bigint[],
  event_content_types text[], event_formats smallint[], event_data text[], event_bytes bytea[], event_metadata text[],
  event_causations text[], event_correlations text[], event_tenants text[], event_created bigint[], event_commands text[],
  notify_channel text,
  OUT head bigint, OUT versions bigint[], OUT statuses text[], OUT states text[], OUT found_categories text[]
)
LANGUAGE plpgsql
AS $append$
#variable_conflict use_column
DECLARE
  locked text[];
  fits boolean;
  repeats boolean := false;
  accepted boolean[];
  shifts bigint[];
  refused integer[];
  place integer;
  written bigint;
BEGIN
  WITH written AS (
    INSERT INTO "edict".streams AS s (stream_id, category, version)
    SELECT * FROM unnest(streams, categories, counts)
    ON CONFLICT (stream_id) DO UPDATE SET version = s.version + excluded.version
    RETURNING s.stream_id, s.category, s.version, s.state
  )
  SELECT array_agg(w.stream_id), array_agg(w.category), array_agg(w.version), array_agg(w.state)
  INTO locked, found_categories, versions, states
  FROM written w;
  -- Nothing but the order of the call tells which version is whose.
  IF locked <> streams THEN
    RAISE EXCEPTION 'edict: the streams were written in another order than asked for';
  END IF;

  SELECT bool_and(
    x.found = x.category AND x.state = 'active'
    AND (x.expected = -1 OR x.version - x.count = x.expected OR (x.expected = -2 AND x.version > x.count))
  )
  INTO fits
  FROM unnest(found_categories, categories, states, versions, counts, expected)
    AS x (found, category, state, version, count, expected);
  -- Under the locks, and with a snapshot that is younger than they are: nobody else can be writing the same command.
  IF deduplicate IS NOT NULL THEN
    repeats := EXISTS (
      SELECT FROM unnest(streams, commands, deduplicate, versions, counts) AS x (stream_id, command_id, look, version, count)
      WHERE x.look AND x.version > x.count AND "edict".has_command(x.stream_id, x.command_id)
    );
  END IF;

  IF fits AND NOT repeats THEN
    written := cardinality(event_ids);
    states := NULL;
    found_categories := NULL;
  ELSIF groups IS NULL AND NOT repeats THEN
    SELECT
      array_agg(x.status ORDER BY x.place),
      array_agg(x.status = 'a' ORDER BY x.place),
      array_agg(x.place ORDER BY x.place) FILTER (WHERE x.status <> 'a'),
      array_agg(x.shift ORDER BY x.place),
      coalesce(sum(x.count) FILTER (WHERE x.status = 'a'), 0)
    INTO statuses, accepted, refused, shifts, written
    FROM (
      SELECT
        s.status, s.count, s.place,
        coalesce(sum(s.count) FILTER (WHERE s.status <> 'a') OVER (
          ORDER BY s.first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0)::bigint AS shift
      FROM (
        SELECT x.count, x.first, x.place, CASE
          WHEN x.found <> x.category THEN 'c'
          WHEN x.state <> 'active' THEN 's'
          WHEN x.expected = -1 OR x.version - x.count = x.expected OR (x.expected = -2 AND x.version > x.count) THEN 'a'
          ELSE 'v'
        END AS status
        FROM unnest(found_categories, categories, states, versions, counts, expected, firsts)
          WITH ORDINALITY AS x (found, category, state, version, count, expected, first, place)
      ) s
    ) x;
    -- One by one, each by its key: a plan for all at once may have been made when the table was empty.
    FOREACH place IN ARRAY refused LOOP
      IF versions[place] = counts[place] THEN
        DELETE FROM "edict".streams s WHERE s.stream_id = streams[place];
      ELSE
        UPDATE "edict".streams s SET version = s.version - counts[place] WHERE s.stream_id = streams[place];
      END IF;
    END LOOP;
  ELSE
    SELECT r.statuses, r.accepted, r.shifts, r.written INTO statuses, accepted, shifts, written
    FROM "edict".settle(
      streams, categories, expected, counts, commands, deduplicate, firsts, groups, versions, states, found_categories,
      event_streams, event_ids, event_types, event_schema_versions, event_content_types, event_formats, event_data, event_bytes
    ) r;
  END IF;

  IF written > 0 THEN
    -- An acknowledged event is on disk, whatever the role's own setting is.
    IF current_setting('synchronous_commit') = 'off' THEN
      PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    PERFORM pg_advisory_xact_lock(1162103124, '"edict".events'::regclass::oid::integer);
    SELECT coalesce(max(e.position), 0) INTO head FROM "edict".events e;
    INSERT INTO "edict".events (
      position, stream_version, schema_version, created_at, data_format, stream_id, category, event_id, type, command_id,
      causation_id, correlation_id, tenant, content_type, metadata, data, data_bytes
    )
    SELECT
      head + x.place - coalesce(shifts[x.stream], 0), versions[x.stream] - x.behind, x.schema_version, x.created_at, x.data_format,
      streams[x.stream], categories[x.stream], x.event_id, x.type, coalesce(x.command_id, commands[x.stream]),
      coalesce(x.causation_id, x.command_id, commands[x.stream]), coalesce(x.correlation_id, x.command_id, commands[x.stream]), x.tenant,
      x.content_type, x.metadata, x.data, x.data_bytes
    FROM unnest(
      event_streams, event_behind, event_ids, event_types, event_schema_versions, event_content_types, event_formats, event_data,
      event_bytes, event_metadata, event_causations, event_correlations, event_tenants, event_created, event_commands
    ) WITH ORDINALITY AS x (
      stream, behind, event_id, type, schema_version, content_type, data_format, data,
      data_bytes, metadata, causation_id, correlation_id, tenant, created_at, command_id, place
    )
    WHERE accepted IS NULL OR accepted[x.stream];
    IF notify_channel IS NOT NULL THEN
      PERFORM pg_notify(notify_channel, (head + written)::text);
    END IF;
  ELSIF notify_channel IS NULL THEN
    -- Nothing is left to be lost: what was put back need not be waited for.
    PERFORM set_config('synchronous_commit', 'off', true);
  END IF;
END
$append$;
