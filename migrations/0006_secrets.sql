-- Secrets that heeler.toml only names. Their key lies in the state folder, not here.
CREATE TABLE secrets (
  name      TEXT NOT NULL PRIMARY KEY,
  -- Sealed with age, the name within.
  sealed    BLOB NOT NULL,
  set_at_ms INTEGER NOT NULL,
  set_by    TEXT NOT NULL
) STRICT;
