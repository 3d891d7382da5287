-- Nodes that a person (or a restored coordinator) holds still: nothing new is handed to them.
CREATE TABLE pauses (
  node     TEXT NOT NULL PRIMARY KEY REFERENCES nodes (name),
  reason   TEXT NOT NULL,
  operator TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  -- 0: until a person resumes it.
  until_ms INTEGER NOT NULL
) STRICT;

-- Nodes that were taken off the record. Their row stays for their history's and their hostid's sake; nobody sees it.
CREATE TABLE removed (
  node     TEXT NOT NULL PRIMARY KEY REFERENCES nodes (name),
  operator TEXT NOT NULL,
  at_ms    INTEGER NOT NULL
) STRICT;

-- What the last look at the accepted revision found on a node.
CREATE TABLE drifts (
  node     TEXT NOT NULL PRIMARY KEY REFERENCES nodes (name),
  revision INTEGER NOT NULL,
  at_ms    INTEGER NOT NULL,
  -- The look itself, encoded.
  shown    BLOB NOT NULL
) STRICT;

-- Alarms that a person has seen, up to that time.
CREATE TABLE seen_alarms (
  node     TEXT NOT NULL,
  text     TEXT NOT NULL,
  operator TEXT NOT NULL,
  at_ms    INTEGER NOT NULL,
  PRIMARY KEY (node, text)
) STRICT;
