-- Text that is compared is compared byte by byte (COLLATE "C"): quick, and no upgrade of the operating system's locales can
-- bring an index out of order.

CREATE TABLE "edict".streams (
  stream_id text COLLATE "C" NOT NULL,
  category text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  state text COLLATE "C" NOT NULL DEFAULT 'active',
  metadata text COLLATE "C" NOT NULL DEFAULT '{}',
  CONSTRAINT streams_pkey PRIMARY KEY (stream_id),
  CONSTRAINT streams_state_check CHECK (state IN ('active', 'archived', 'deleted'))
) WITH (fillfactor = 70);

-- Data is kept to the letter: jsonb would refuse NUL, lose -0 and forget the order of keys. What text cannot hold stands in data_bytes,
-- and data_format says how: 0 text in data, 1 bytes, 2 text as UTF-16 (it has NUL characters or halves of surrogate pairs),
-- 3 nothing, as the event was deleted. Metadata is JSON text.
CREATE TABLE "edict".events (
  position bigint NOT NULL,
  stream_version bigint NOT NULL,
  schema_version bigint NOT NULL,
  created_at bigint NOT NULL,
  data_format smallint NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  category text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  command_id text COLLATE "C" NOT NULL,
  causation_id text COLLATE "C" NOT NULL,
  correlation_id text COLLATE "C" NOT NULL,
  tenant text COLLATE "C",
  content_type text COLLATE "C" NOT NULL,
  metadata text COLLATE "C" NOT NULL,
  data text COLLATE "C",
  data_bytes bytea,
  CONSTRAINT events_pkey PRIMARY KEY (position),
  CONSTRAINT events_data_format_check CHECK (data_format BETWEEN 0 AND 3)
);
CREATE UNIQUE INDEX events_stream_key ON "edict".events (stream_id, stream_version);
CREATE INDEX events_command_idx ON "edict".events (command_id, stream_id);
CREATE INDEX events_category_idx ON "edict".events (category, position);
CREATE INDEX events_correlation_idx ON "edict".events (correlation_id, position);
-- Whose events have no tenant, they cost nothing here.
CREATE INDEX events_tenant_idx ON "edict".events (tenant, position) WHERE tenant IS NOT NULL;

CREATE TABLE "edict".snapshots (
  stream_id text COLLATE "C" NOT NULL,
  category text COLLATE "C" NOT NULL,
  stream_version bigint NOT NULL,
  snapshot_version bigint NOT NULL,
  created_at bigint NOT NULL,
  data_format smallint NOT NULL,
  content_type text COLLATE "C" NOT NULL,
  data text COLLATE "C",
  data_bytes bytea,
  CONSTRAINT snapshots_pkey PRIMARY KEY (stream_id)
);

-- One sequence for all names: a checkpoint that is deleted and made again gets an epoch above that of its former owner.
CREATE SEQUENCE "edict".checkpoint_epoch;

CREATE TABLE "edict".checkpoints (
  name text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  index bigint NOT NULL,
  epoch bigint NOT NULL,
  lease bigint NOT NULL,
  expires_at timestamptz NOT NULL,
  owner text COLLATE "C",
  CONSTRAINT checkpoints_pkey PRIMARY KEY (name)
) WITH (fillfactor = 50);

CREATE TABLE "edict".publications (
  name text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  generation bigint NOT NULL,
  tables text COLLATE "C" NOT NULL,
  CONSTRAINT publications_pkey PRIMARY KEY (name)
);
