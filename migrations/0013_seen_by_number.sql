-- Up to which event an alarm was seen: a clock that was ahead must hide none of those that come later.
ALTER TABLE seen_alarms ADD COLUMN event INTEGER NOT NULL DEFAULT 0;
UPDATE seen_alarms SET event = (
  SELECT coalesce(max(events.id), 0) FROM events
  WHERE events.node = seen_alarms.node AND events.text = seen_alarms.text AND events.at_ms <= seen_alarms.at_ms
);
