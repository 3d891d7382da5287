-- A change of a node's network stays only when everybody confirms it who was up on the backplane before it began: their
-- names, separated by spaces. NULL until it is handed out, and for every other task.
ALTER TABLE tasks ADD COLUMN peers TEXT;
