-- A plan may hold several tasks for one node, and what was applied is known for each kind of task.

DROP TABLE plan_nodes;

CREATE TABLE plan_tasks (
  plan     TEXT NOT NULL REFERENCES plans (id),
  node     TEXT NOT NULL,
  -- In which order the node's tasks are carried out, from 0.
  position INTEGER NOT NULL,
  task_id  TEXT NOT NULL,
  task     BLOB NOT NULL,
  -- The encoded answer that the person was shown, with the steps of this task alone.
  shown    BLOB NOT NULL,
  PRIMARY KEY (plan, node, position)
) STRICT;

-- Digest of what was wanted when the node last matched it.
CREATE TABLE applied (
  node   TEXT NOT NULL REFERENCES nodes (name),
  kind   TEXT NOT NULL,
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  PRIMARY KEY (node, kind)
) STRICT;
INSERT INTO applied SELECT name, 'ensure pool', applied_sha256 FROM nodes WHERE applied_sha256 IS NOT NULL;
ALTER TABLE nodes DROP COLUMN applied_sha256;
