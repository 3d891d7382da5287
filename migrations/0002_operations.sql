-- Work of several steps or nodes. What its kind alone needs is in the body, so that a new kind needs no new table.
CREATE TABLE operations (
  id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  kind          TEXT NOT NULL,
  -- undone: the machines are as they were before.
  state         TEXT NOT NULL CHECK (state IN ('open', 'done', 'undone', 'failed')),
  -- The node that it is about; NULL when there are several.
  node          TEXT REFERENCES nodes (name),
  operator      TEXT NOT NULL,
  -- JSON, by kind: what it is to do, and how far it has got. Stored before it is acted on.
  body          BLOB NOT NULL,
  reason        TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  changed_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_open_operation_of_a_node ON operations (kind, node) WHERE state = 'open';

-- Which operation may disturb the cluster. At most one row is not freed. It is never freed because time passed.
CREATE TABLE lease (
  -- Only grows: whoever renews or frees the lease names the generation that was granted.
  generation    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  operation     INTEGER NOT NULL REFERENCES operations (id),
  reason        TEXT NOT NULL,
  granted_at_ms INTEGER NOT NULL,
  -- When the work last showed that it is alive.
  renewed_at_ms INTEGER NOT NULL,
  -- The holder is late when it was not renewed for this long.
  ttl_ms        INTEGER NOT NULL,
  freed_at_ms   INTEGER
) STRICT;
CREATE UNIQUE INDEX one_lease ON lease ((freed_at_ms IS NULL)) WHERE freed_at_ms IS NULL;

-- The operation that the task is part of, and the task that must be done first.
ALTER TABLE tasks ADD COLUMN operation INTEGER REFERENCES operations (id);
ALTER TABLE tasks ADD COLUMN predecessor TEXT REFERENCES tasks (id) ON DELETE SET NULL;
-- When its predecessor was done; when it was queued, if it has none; 0 until then.
ALTER TABLE tasks ADD COLUMN ready_at_ms INTEGER NOT NULL DEFAULT 0;
UPDATE tasks SET ready_at_ms = created_at_ms;
-- When the first of its consents expires; NULL without consents.
ALTER TABLE tasks ADD COLUMN consented_until_ms INTEGER;
ALTER TABLE tasks DROP COLUMN peers;
CREATE INDEX tasks_by_predecessor ON tasks (predecessor) WHERE predecessor IS NOT NULL;
CREATE INDEX tasks_by_operation ON tasks (operation) WHERE operation IS NOT NULL;
