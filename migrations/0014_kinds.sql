-- The kinds of tasks are named by what they do: "keep snapshots: done" was read as "none is deleted".
UPDATE applied SET kind = 'schedule snapshots' WHERE kind = 'keep snapshots';
UPDATE applied SET kind = 'schedule scrubs' WHERE kind = 'keep scrubs';
UPDATE applied SET kind = 'set up backplane' WHERE kind = 'keep backplane';
UPDATE tasks SET kind = 'schedule snapshots' WHERE kind = 'keep snapshots';
UPDATE tasks SET kind = 'schedule scrubs' WHERE kind = 'keep scrubs';
UPDATE tasks SET kind = 'set up backplane' WHERE kind = 'keep backplane';
