-- Positions are contiguous and in the order of commits, as who chooses one holds, until the end of the transaction, an advisory lock,
-- and everyone after it sees that event. A counter in a row would do as well, but for the versions of that row that pile up behind an
-- old snapshot (a backup), through each of which every append would have to look. Of the lock's two numbers the first is "EDIT" in
-- ASCII; the other one tells the schemas of a database apart.

-- Whether a command has committed in a stream. A function of its own, as plans are kept for the life of a connection, and may have
-- been made when the table was empty.
CREATE FUNCTION "edict".has_command(looked_in text, looked_for text) RETURNS boolean
LANGUAGE plpgsql
SET enable_seqscan = off
AS $has_command$
BEGIN
  RETURN EXISTS (SELECT FROM "edict".events e WHERE e.stream_id = looked_in AND e.command_id = looked_for);
END
$has_command$;

-- Appends to any number of streams, each once in a call, in one round trip.
--
-- The streams come in an order that all callers agree on, and are locked in that order: so two calls never wait for each other.
-- The lock that makes positions contiguous is taken last, and only when something will be written. All is done as if every
-- stream took its events; what a stream must not take is put back before that lock.
--
-- Where nodes write to the same streams, some of nearly every call have moved on: to put those few back does not take settle, which
-- looks at all that was sent while others wait for the locks.
--
-- A plan that is made for one call has the call's arrays in it as constants, in which each element of a list of texts is counted out from
-- the first one. A plan that is made for all calls takes them as the function keeps them, where each element is found at once.
--
-- expected: -1 any, -2 exists, else the version. counts: how many events each stream gets; firsts: the place of its first among
-- the events of the call. groups: streams of one group (above 0) commit together or not at all. Of events, stream says whose each
-- is, by its place among the streams, and behind how many follow it there. The events of one stream may be those of several commands:
-- event_commands says whose each is; it is null, or null for an event, where it is the command of its stream. A stream with more than
-- one command is not looked through for repeats.
--
-- notify_channel: null where the call is a transaction of its own, whose caller tells of it; else those who listen are told at the
-- commit.
--
-- Gives the head before, the version of each stream had it taken its events, and null for statuses where every stream took its events.
-- statuses: a appended, r repeated, d duplicate command, s closed (see states), v version conflict, c category mismatch (see
-- found_categories), o abandoned. Those two are null where every stream took its events.
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
SET plan_cache_mode = force_generic_plan
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

-- What becomes of each stream of a call where not every one takes its events; puts back those that do not. What a stream's
-- events are to be held against stands together in the call, from its first event on: nobody need look through all.
CREATE FUNCTION "edict".settle(
  streams text[], categories text[], expected bigint[], counts bigint[], commands text[], deduplicate boolean[],
  firsts bigint[], groups integer[], versions bigint[], states text[], found_categories text[],
  event_streams integer[], event_ids text[], event_types text[], event_schema_versions bigint[], event_content_types text[],
  event_formats smallint[], event_data text[], event_bytes bytea[],
  OUT statuses text[], OUT accepted boolean[], OUT shifts bigint[], OUT written bigint
)
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $settle$
#variable_conflict use_column
BEGIN
  SELECT array_agg(
    CASE
      WHEN x.found <> x.category THEN 'c'
      WHEN x.committed > 0 THEN CASE WHEN x.committed = x.count AND (
        -- Event by event. What a deleted one said nobody can tell.
        SELECT bool_and(
          e.event_id = event_ids[e.at] AND e.type = event_types[e.at] AND e.schema_version = event_schema_versions[e.at]
          AND e.content_type = event_content_types[e.at] AND (e.data_format = 3 OR (
            e.data_format = event_formats[e.at] AND e.data IS NOT DISTINCT FROM event_data[e.at]
            AND e.data_bytes IS NOT DISTINCT FROM event_bytes[e.at]
          ))
        )
        FROM (
          SELECT c.*, (x.first - 1 + row_number() OVER (ORDER BY c.stream_version))::integer AS at FROM "edict".events c
          WHERE c.stream_id = x.stream_id AND c.command_id = x.command_id
        ) e
      ) THEN 'r' ELSE 'd' END
      WHEN x.state <> 'active' THEN 's'
      WHEN x.expected = -1 OR x.version - x.count = x.expected OR (x.expected = -2 AND x.version > x.count) THEN 'a'
      ELSE 'v'
    END
    ORDER BY x.place
  )
  INTO statuses
  FROM (
    SELECT s.*, (
      SELECT count(*) FROM "edict".events e
      WHERE s.look AND s.version > s.count AND e.stream_id = s.stream_id AND e.command_id = s.command_id
    ) AS committed
    FROM unnest(streams, categories, expected, counts, commands, deduplicate, versions, states, found_categories, firsts)
      WITH ORDINALITY AS s (stream_id, category, expected, count, command_id, look, version, state, found, first, place)
  ) x;

  IF groups IS NOT NULL THEN
    SELECT array_agg(
      CASE
        WHEN x.status IN ('a', 'r') AND x.member > 0 AND f.member IS NOT NULL THEN 'o'
        ELSE x.status
      END
      ORDER BY x.place
    )
    INTO statuses
    FROM unnest(statuses, groups) WITH ORDINALITY AS x (status, member, place)
    LEFT JOIN (
      SELECT DISTINCT y.member FROM unnest(statuses, groups) AS y (status, member) WHERE y.status NOT IN ('a', 'r')
    ) f ON f.member = x.member;
  END IF;

  SELECT
    array_agg(x.status = 'a' ORDER BY x.place),
    array_agg(x.shift ORDER BY x.place),
    coalesce(sum(x.count) FILTER (WHERE x.status = 'a'), 0)
  INTO accepted, shifts, written
  FROM (
    SELECT
      s.status, s.count, s.place,
      coalesce(sum(s.count) FILTER (WHERE s.status <> 'a') OVER (
        ORDER BY s.first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ), 0)::bigint AS shift
    FROM unnest(statuses, counts, firsts) WITH ORDINALITY AS s (status, count, first, place)
  ) x;

  UPDATE "edict".streams s SET version = s.version - x.count
  FROM unnest(streams, counts, accepted) AS x (stream_id, count, accepted)
  WHERE s.stream_id = x.stream_id AND NOT x.accepted;
  DELETE FROM "edict".streams s
  USING unnest(streams, accepted) AS x (stream_id, accepted)
  WHERE s.stream_id = x.stream_id AND NOT x.accepted AND s.version = 0;
END
$settle$;

-- The short way for one event into one stream, which is what an append mostly is when there is little to do. Gives the version and
-- the position, or null where the stream does not take it, and then writes nothing: append tells why.
CREATE FUNCTION "edict".append_one(
  stream_id text, category text, expected bigint, command_id text, look boolean,
  event_id text, type text, schema_version bigint, content_type text, data_format smallint, data text, data_bytes bytea,
  metadata text, causation_id text, correlation_id text, tenant text, created_at bigint
) RETURNS bigint[]
LANGUAGE plpgsql
AS $append_one$
#variable_conflict use_variable
DECLARE
  written bigint;
  place bigint;
BEGIN
  INSERT INTO "edict".streams AS s (stream_id, category, version) VALUES (stream_id, category, 1)
  ON CONFLICT ON CONSTRAINT streams_pkey DO UPDATE SET version = s.version + 1
  WHERE s.category = excluded.category AND s.state = 'active' AND (expected < 0 OR s.version = expected)
  RETURNING s.version INTO written;
  IF written = 1 AND (expected > 0 OR expected = -2) THEN
    DELETE FROM "edict".streams s WHERE s.stream_id = append_one.stream_id;
    written := NULL;
  ELSIF written > 1 AND look AND "edict".has_command(stream_id, command_id) THEN
    UPDATE "edict".streams s SET version = s.version - 1 WHERE s.stream_id = append_one.stream_id;
    written := NULL;
  END IF;
  IF written IS NULL THEN
    PERFORM set_config('synchronous_commit', 'off', true);
    RETURN NULL;
  END IF;
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  PERFORM pg_advisory_xact_lock(1162103124, '"edict".events'::regclass::oid::integer);
  INSERT INTO "edict".events AS n (
    position, stream_version, schema_version, created_at, data_format, stream_id, category, event_id, type, command_id,
    causation_id, correlation_id, tenant, content_type, metadata, data, data_bytes
  )
  SELECT
    coalesce(max(e.position), 0) + 1, written, schema_version, created_at, data_format, stream_id, category, event_id, type, command_id,
    causation_id, correlation_id, tenant, content_type, metadata, data, data_bytes
  FROM "edict".events e
  RETURNING n.position INTO place;
  RETURN ARRAY[written, place];
END
$append_one$;
