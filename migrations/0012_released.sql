-- Revoked nodes whose agent a person took off: their key is shut out, and that was meant.
CREATE TABLE released (
  node TEXT NOT NULL PRIMARY KEY REFERENCES nodes (name)
) STRICT;
