-- Archives, restores, deletes or describes a stream, as change says. Gives outcome null where the stream is not there.
CREATE FUNCTION "edict".change_stream(
  changed text, change text, new_metadata text, expected bigint,
  OUT outcome text, OUT category text, OUT version bigint, OUT state text, OUT metadata text
)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $change_stream$
#variable_conflict use_column
BEGIN
  SELECT s.category, s.version, s.state, s.metadata INTO category, version, state, metadata
  FROM "edict".streams s WHERE s.stream_id = changed FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  IF state = 'deleted' AND change <> 'delete' THEN outcome := 'closed'; RETURN; END IF;
  IF expected IS NOT NULL AND version <> expected THEN outcome := 'conflict'; RETURN; END IF;
  outcome := 'changed';
  CASE change
    WHEN 'describe' THEN metadata := new_metadata;
    WHEN 'archive' THEN state := 'archived';
    WHEN 'restore' THEN state := 'active';
    WHEN 'delete' THEN
      metadata := '{}';
      IF state <> 'deleted' THEN
        UPDATE "edict".events e SET data_format = 3, data = NULL, data_bytes = NULL, metadata = '{}'
        WHERE e.stream_id = changed;
        DELETE FROM "edict".snapshots s WHERE s.stream_id = changed;
      END IF;
      state := 'deleted';
  END CASE;
  UPDATE "edict".streams s SET state = change_stream.state, metadata = change_stream.metadata WHERE s.stream_id = changed;
END
$change_stream$;
