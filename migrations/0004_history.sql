-- History: who did what, and where sealed copies of this database lie.

-- Each entry carries the hash of the one before, so that no entry can be changed, taken out or put in unseen.
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
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- Sealed copies of the coordinator's state, on the nodes' pools.
CREATE TABLE copies (
  node     TEXT NOT NULL REFERENCES nodes (name),
  name     TEXT NOT NULL,
  at_ms    INTEGER NOT NULL,
  bytes    INTEGER NOT NULL,
  sha256   BLOB NOT NULL CHECK (length(sha256) = 32),
  PRIMARY KEY (node, name)
) STRICT;

-- The oldest go first when room is wanted.
CREATE INDEX events_by_kind ON events (kind, id);
