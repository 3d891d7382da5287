-- Several operators, each with a key of their own; certificate authorities that follow each other.

ALTER TABLE operators ADD COLUMN added_by TEXT NOT NULL DEFAULT '';
ALTER TABLE operators ADD COLUMN revoked_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE operators ADD COLUMN revoked_by TEXT NOT NULL DEFAULT '';
-- Of the certificate for remote access; 0 when there is none.
ALTER TABLE operators ADD COLUMN certificate_expires_ms INTEGER NOT NULL DEFAULT 0;

-- What operators have signed about whom to trust, in the order in which it came; nodes are told all of it.
CREATE TABLE statements (
  id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  -- Over what is signed.
  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
  body   BLOB NOT NULL
) STRICT;

-- What each node said last about whom it trusts.
CREATE TABLE node_trust (
  node              TEXT NOT NULL PRIMARY KEY REFERENCES nodes (name),
  statements_sha256 BLOB NOT NULL CHECK (length(statements_sha256) = 32),
  -- SHA-256 of each authority's certificate, one after the other.
  authorities       BLOB NOT NULL CHECK (length(authorities) % 32 = 0)
) STRICT;

-- The key of each lies in the state folder.
CREATE TABLE authorities (
  sha256   BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
  -- DER.
  certificate BLOB NOT NULL,
  stage    TEXT NOT NULL CHECK (stage IN ('made', 'next', 'current', 'old', 'dropped')),
  since_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_current_authority ON authorities (stage) WHERE stage = 'current';
