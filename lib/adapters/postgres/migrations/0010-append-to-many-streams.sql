-- As before, at a cost that grows with the number of streams, and not with its square.
--
-- A plan that is made for one call has the call's arrays in it as constants, in which each element of a list of texts is counted out from
-- the first one. A plan that is made for all calls takes them as the function keeps them, where each element is found at once.
ALTER FUNCTION "edict".append SET plan_cache_mode = force_generic_plan;

-- What a stream's events are to be held against stands together in the call, from its first event on: nobody need look through all.
CREATE OR REPLACE FUNCTION "edict".settle(
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
