-- What happened. What is wanted lives in the config folder; its accepted revisions are copied here.
-- Times are Unix milliseconds. Bodies are the wire's messages, encoded.

CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE operators (
  name           TEXT NOT NULL PRIMARY KEY,
  public_key_pem TEXT NOT NULL,
  added_at_ms    INTEGER NOT NULL
) STRICT;

CREATE TABLE nodes (
  name                   TEXT NOT NULL PRIMARY KEY,
  state                  TEXT NOT NULL CHECK (state IN ('new', 'enrolled', 'revoked')),
  -- Kept for the life of the name, so that a re-flashed node imports its pool without force.
  hostid                 TEXT NOT NULL UNIQUE,
  key_sha256             BLOB CHECK (length(key_sha256) = 32),
  host_key               TEXT NOT NULL,
  hardware_serial        TEXT NOT NULL,
  agent_version          TEXT NOT NULL,
  certificate_expires_ms INTEGER NOT NULL,
  last_seen_ms           INTEGER NOT NULL,
  -- Counter of the last generation that was handed out.
  counter                INTEGER NOT NULL,
  -- The agent's number of the last event that is stored.
  acknowledged           INTEGER NOT NULL,
  facts                  BLOB,
  facts_at_ms            INTEGER NOT NULL,
  -- Digest of what was wanted when the node last matched it.
  applied_sha256         BLOB CHECK (length(applied_sha256) = 32)
) STRICT;

CREATE TABLE tokens (
  sha256        BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
  node          TEXT NOT NULL REFERENCES nodes (name),
  key_sha256    BLOB NOT NULL CHECK (length(key_sha256) = 32),
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  used_at_ms    INTEGER
) STRICT;

CREATE TABLE certificates (
  serial        TEXT NOT NULL PRIMARY KEY,
  node          TEXT NOT NULL REFERENCES nodes (name),
  key_sha256    BLOB NOT NULL CHECK (length(key_sha256) = 32),
  issued_at_ms  INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX certificates_by_node ON certificates (node);

CREATE TABLE revisions (
  number         INTEGER NOT NULL PRIMARY KEY,
  text           TEXT NOT NULL,
  sha256         BLOB NOT NULL CHECK (length(sha256) = 32),
  git_commit     TEXT NOT NULL,
  dirty_lines    INTEGER NOT NULL,
  parent         INTEGER NOT NULL,
  accepted_at_ms INTEGER NOT NULL,
  operator       TEXT NOT NULL
) STRICT;

-- A plan is a candidate revision, or the erasure of one disk (text is NULL).
CREATE TABLE plans (
  id            TEXT NOT NULL PRIMARY KEY,
  text          TEXT,
  git_commit    TEXT NOT NULL,
  dirty_lines   INTEGER NOT NULL,
  parent        INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  -- Set once it was applied: the encoded reply, given again to a caller that lost it.
  reply         BLOB
) STRICT;

CREATE TABLE plan_nodes (
  plan     TEXT NOT NULL REFERENCES plans (id),
  node     TEXT NOT NULL,
  task_id  TEXT NOT NULL,
  task     BLOB NOT NULL,
  -- The encoded answer that the person was shown.
  shown    BLOB NOT NULL,
  PRIMARY KEY (plan, node)
) STRICT;

CREATE TABLE tasks (
  id             TEXT NOT NULL PRIMARY KEY,
  node           TEXT NOT NULL REFERENCES nodes (name),
  kind           TEXT NOT NULL,
  task           BLOB NOT NULL,
  revision       INTEGER NOT NULL,
  operator       TEXT NOT NULL,
  state          TEXT NOT NULL
    CHECK (state IN ('queued', 'sent', 'running', 'done', 'blocked', 'failed', 'refused')),
  reason         TEXT NOT NULL,
  blocked        BLOB,
  changes        INTEGER NOT NULL,
  created_at_ms  INTEGER NOT NULL,
  finished_at_ms INTEGER NOT NULL,
  -- Generation; both 0 until it is handed out.
  epoch          INTEGER NOT NULL,
  counter        INTEGER NOT NULL
) STRICT;
CREATE INDEX tasks_by_node ON tasks (node, created_at_ms);
CREATE INDEX tasks_open ON tasks (state) WHERE state IN ('queued', 'sent', 'running');

CREATE TABLE consents (
  id      TEXT NOT NULL PRIMARY KEY,
  task_id TEXT NOT NULL REFERENCES tasks (id),
  body    BLOB NOT NULL
) STRICT;
CREATE INDEX consents_by_task ON consents (task_id);

-- Every disk that was ever seen, where it was seen last.
CREATE TABLE disks (
  serial     TEXT NOT NULL PRIMARY KEY,
  node       TEXT NOT NULL REFERENCES nodes (name),
  disk       BLOB NOT NULL,
  present    INTEGER NOT NULL CHECK (present IN (0, 1)),
  seen_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX disks_by_node ON disks (node);

-- The ledger: which pool is on record for which node, and which serials are its legs.
CREATE TABLE pools (
  guid       TEXT NOT NULL PRIMARY KEY,
  name       TEXT NOT NULL,
  node       TEXT NOT NULL REFERENCES nodes (name),
  -- 1: made or adopted by Heeler, and kept on record; 0: somebody else's, on record while it is imported.
  ours       INTEGER NOT NULL CHECK (ours IN (0, 1)),
  seen_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX pools_by_node ON pools (node);

CREATE TABLE legs (
  serial TEXT NOT NULL PRIMARY KEY,
  guid   TEXT NOT NULL REFERENCES pools (guid)
) STRICT;
CREATE INDEX legs_by_guid ON legs (guid);

CREATE TABLE events (
  id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  at_ms   INTEGER NOT NULL,
  node    TEXT NOT NULL,
  task_id TEXT NOT NULL,
  kind    TEXT NOT NULL,
  text    TEXT NOT NULL,
  -- The agent's own event; NULL for the coordinator's.
  body    BLOB
) STRICT;
CREATE INDEX events_by_task ON events (task_id, id) WHERE task_id <> '';
CREATE INDEX events_by_node ON events (node, id);
