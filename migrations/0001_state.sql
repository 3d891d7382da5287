-- The coordinator's records: what happened, who may do what, what was found. What is wanted lives in heeler.toml; the revisions
-- of it that were accepted are copied here.
-- Times are Unix milliseconds, 0 where there is none. Messages are stored encoded (protobuf). A NULL is "not there".

-- Single values, by name.
CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- People who may consent, each with an own key. A revoked one stays on record.
CREATE TABLE operators (
  name                   TEXT NOT NULL PRIMARY KEY,
  public_key_pem         TEXT NOT NULL,
  added_at_ms            INTEGER NOT NULL,
  -- Empty for the first one, whom `heeler init` adds.
  added_by               TEXT NOT NULL DEFAULT '',
  revoked_at_ms          INTEGER NOT NULL DEFAULT 0,
  revoked_by             TEXT NOT NULL DEFAULT '',
  -- Of the certificate for remote access.
  certificate_expires_ms INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE nodes (
  name                   TEXT NOT NULL PRIMARY KEY,
  state                  TEXT NOT NULL CHECK (state IN ('new', 'enrolled', 'revoked')),
  -- Kept as long as the name, so that a node that was flashed again imports its pool without force.
  hostid                 TEXT NOT NULL UNIQUE,
  -- Of the node's own key; NULL until it enrols.
  key_sha256             BLOB CHECK (length(key_sha256) = 32),
  -- Pinned SSH host key.
  host_key               TEXT NOT NULL,
  hardware_serial        TEXT NOT NULL,
  agent_version          TEXT NOT NULL,
  certificate_expires_ms INTEGER NOT NULL,
  last_seen_ms           INTEGER NOT NULL,
  -- Counter of the last generation that was handed out.
  counter                INTEGER NOT NULL,
  -- The agent's number of its last event that is stored.
  acknowledged           INTEGER NOT NULL,
  -- `Facts` of the last look.
  facts                  BLOB,
  facts_at_ms            INTEGER NOT NULL
) STRICT;

-- Nodes that were removed. Their row in `nodes` stays for their history and hostid; no list shows it.
CREATE TABLE removed (
  node     TEXT NOT NULL PRIMARY KEY REFERENCES nodes (name),
  operator TEXT NOT NULL,
  at_ms    INTEGER NOT NULL
) STRICT;

-- Revoked nodes whose agent a person took off: that their key is shut out was meant.
CREATE TABLE released (
  node TEXT NOT NULL PRIMARY KEY REFERENCES nodes (name)
) STRICT;

-- Nodes that a person (or a restored coordinator) holds still: no new task is handed to them.
CREATE TABLE pauses (
  node     TEXT NOT NULL PRIMARY KEY REFERENCES nodes (name),
  reason   TEXT NOT NULL,
  operator TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  -- 0: until a person resumes it.
  until_ms INTEGER NOT NULL
) STRICT;

-- Join tokens. A token is stored as its SHA-256 only.
CREATE TABLE tokens (
  sha256        BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
  node          TEXT NOT NULL REFERENCES nodes (name),
  -- The key that may use it.
  key_sha256    BLOB NOT NULL CHECK (length(key_sha256) = 32),
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  used_at_ms    INTEGER
) STRICT;

-- Issued to nodes.
CREATE TABLE certificates (
  serial        TEXT NOT NULL PRIMARY KEY,
  node          TEXT NOT NULL REFERENCES nodes (name),
  key_sha256    BLOB NOT NULL CHECK (length(key_sha256) = 32),
  issued_at_ms  INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX certificates_by_node ON certificates (node);

-- Certificate authorities, one after the other. Their private keys lie in the state folder, not here.
CREATE TABLE authorities (
  sha256      BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
  -- X.509, DER.
  certificate BLOB NOT NULL,
  stage       TEXT NOT NULL CHECK (stage IN ('made', 'next', 'current', 'old', 'dropped')),
  -- When it entered this stage.
  since_ms    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_current_authority ON authorities (stage) WHERE stage = 'current';

-- What operators signed about whom to trust, in order of arrival; every node receives all of it.
CREATE TABLE statements (
  id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  -- Over the bytes that are signed.
  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
  -- `Statement`.
  body   BLOB NOT NULL
) STRICT;

-- What each node reported last about whom it trusts.
CREATE TABLE node_trust (
  node              TEXT NOT NULL PRIMARY KEY REFERENCES nodes (name),
  statements_sha256 BLOB NOT NULL CHECK (length(statements_sha256) = 32),
  -- SHA-256 of each authority's certificate, one after the other.
  authorities       BLOB NOT NULL CHECK (length(authorities) % 32 = 0)
) STRICT;

-- Secrets that heeler.toml only names. Their key lies in the state folder, not here.
CREATE TABLE secrets (
  name      TEXT NOT NULL PRIMARY KEY,
  -- Encrypted with age, together with the name.
  sealed    BLOB NOT NULL,
  set_at_ms INTEGER NOT NULL,
  set_by    TEXT NOT NULL
) STRICT;

-- Accepted texts of heeler.toml.
CREATE TABLE revisions (
  number         INTEGER NOT NULL PRIMARY KEY,
  text           TEXT NOT NULL,
  sha256         BLOB NOT NULL CHECK (length(sha256) = 32),
  git_commit     TEXT NOT NULL,
  -- Lines that were not committed.
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
  -- `ApplyReply`, once it was applied: a caller that lost it gets it again.
  reply         BLOB
) STRICT;

CREATE TABLE plan_tasks (
  plan     TEXT NOT NULL REFERENCES plans (id),
  node     TEXT NOT NULL,
  -- In which order the node's tasks run, from 0.
  position INTEGER NOT NULL,
  task_id  TEXT NOT NULL,
  -- `Task`.
  task     BLOB NOT NULL,
  -- `NodePlan` that the person was shown, with the steps of this task alone.
  shown    BLOB NOT NULL,
  PRIMARY KEY (plan, node, position)
) STRICT;

CREATE TABLE tasks (
  id             TEXT NOT NULL PRIMARY KEY,
  node           TEXT NOT NULL REFERENCES nodes (name),
  kind           TEXT NOT NULL,
  -- `Task`.
  task           BLOB NOT NULL,
  revision       INTEGER NOT NULL,
  operator       TEXT NOT NULL,
  state          TEXT NOT NULL
    CHECK (state IN ('queued', 'sent', 'running', 'done', 'blocked', 'failed', 'refused')),
  -- Why it ended as it did; empty for a task that is done.
  reason         TEXT NOT NULL,
  -- `Blocked`.
  blocked        BLOB,
  -- Ops that were applied.
  changes        INTEGER NOT NULL,
  created_at_ms  INTEGER NOT NULL,
  finished_at_ms INTEGER NOT NULL,
  -- Generation; both 0 until it is handed out.
  epoch          INTEGER NOT NULL,
  counter        INTEGER NOT NULL,
  -- Names, separated by spaces, of the nodes that must confirm a change of the network: those that were up on the backplane
  -- before it began. NULL until it is handed out, and for every other task.
  peers          TEXT
) STRICT;
CREATE INDEX tasks_by_node ON tasks (node, created_at_ms);
CREATE INDEX tasks_open ON tasks (state) WHERE state IN ('queued', 'sent', 'running');

-- Operators' permissions for what cannot be undone.
CREATE TABLE consents (
  id      TEXT NOT NULL PRIMARY KEY,
  task_id TEXT NOT NULL REFERENCES tasks (id),
  -- `Consent`.
  body    BLOB NOT NULL
) STRICT;
CREATE INDEX consents_by_task ON consents (task_id);

-- What a node matched when its last task of this kind ended, or at the last look at it.
CREATE TABLE applied (
  node   TEXT NOT NULL REFERENCES nodes (name),
  -- Of the task.
  kind   TEXT NOT NULL,
  -- Digest of the wanted state.
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  PRIMARY KEY (node, kind)
) STRICT;

-- What the last look at the accepted revision found on a node.
CREATE TABLE drifts (
  node     TEXT NOT NULL PRIMARY KEY REFERENCES nodes (name),
  revision INTEGER NOT NULL,
  at_ms    INTEGER NOT NULL,
  -- `Drift`.
  shown    BLOB NOT NULL
) STRICT;

-- Every disk that was ever seen, where it was seen last.
CREATE TABLE disks (
  serial     TEXT NOT NULL PRIMARY KEY,
  node       TEXT NOT NULL REFERENCES nodes (name),
  -- `Disk`.
  disk       BLOB NOT NULL,
  present    INTEGER NOT NULL CHECK (present IN (0, 1)),
  seen_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX disks_by_node ON disks (node);

-- Which pool is on record for which node.
CREATE TABLE pools (
  guid       TEXT NOT NULL PRIMARY KEY,
  name       TEXT NOT NULL,
  node       TEXT NOT NULL REFERENCES nodes (name),
  -- 1: created or adopted by Heeler, and kept on record; 0: another pool, on record while it is imported.
  ours       INTEGER NOT NULL CHECK (ours IN (0, 1)),
  seen_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX pools_by_node ON pools (node);

-- Which disks are legs of a pool on record.
CREATE TABLE legs (
  serial    TEXT NOT NULL PRIMARY KEY,
  guid      TEXT NOT NULL REFERENCES pools (guid),
  -- Which vdev of the pool the disk was when it was seen last: a lost leg is named by it. Empty until then.
  vdev_guid TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX legs_by_guid ON legs (guid);

-- What happened, on nodes and in the coordinator.
CREATE TABLE events (
  id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  -- By the clock of the node, or of the coordinator for its own events.
  at_ms   INTEGER NOT NULL,
  -- Empty when it concerns no node; likewise task_id.
  node    TEXT NOT NULL,
  task_id TEXT NOT NULL,
  kind    TEXT NOT NULL,
  -- For an alarm: what it is about. Node, alarm and subject are its identity; the text is only for a person.
  alarm   TEXT NOT NULL CHECK ((alarm <> '') = (kind = 'alarm')),
  -- Such as a pool's guid or a serial; empty when it is about the node.
  subject TEXT NOT NULL,
  text    TEXT NOT NULL,
  -- The agent's `Event`; NULL for the coordinator's own.
  body    BLOB
) STRICT;
CREATE INDEX events_by_task ON events (task_id, id) WHERE task_id <> '';
CREATE INDEX events_by_node ON events (node, id);
-- Finds alarms, and lets the oldest of everything else go first when room is wanted.
CREATE INDEX events_by_kind ON events (kind, id);

-- Alarms that a person has seen.
CREATE TABLE seen_alarms (
  node     TEXT NOT NULL,
  alarm    TEXT NOT NULL,
  subject  TEXT NOT NULL,
  operator TEXT NOT NULL,
  at_ms    INTEGER NOT NULL,
  -- Up to this event: a clock that was ahead must hide none of those that come later.
  event    INTEGER NOT NULL,
  PRIMARY KEY (node, alarm, subject)
) STRICT;

-- Who did what. Each entry carries the hash of the one before, so that none can be changed, taken out or put in unseen.
CREATE TABLE audit (
  seq      INTEGER NOT NULL PRIMARY KEY,
  at_ms    INTEGER NOT NULL,
  -- Who asked; "coordinator" for what nobody asked for at that moment.
  operator TEXT NOT NULL,
  action   TEXT NOT NULL,
  -- Empty for what concerns no node.
  node     TEXT NOT NULL,
  detail   TEXT NOT NULL,
  previous BLOB NOT NULL CHECK (length(previous) = 32),
  hash     BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
-- The status asks when something was done last.
CREATE INDEX audit_by_action ON audit (action, seq);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- Encrypted copies of the coordinator's state on the nodes' pools.
CREATE TABLE copies (
  node   TEXT NOT NULL REFERENCES nodes (name),
  name   TEXT NOT NULL,
  at_ms  INTEGER NOT NULL,
  bytes  INTEGER NOT NULL,
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  PRIMARY KEY (node, name)
) STRICT;
