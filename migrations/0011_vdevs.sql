-- Which vdev of its pool a disk was when it was last seen to be it: a lost leg is named by it. Empty until then.
ALTER TABLE legs ADD COLUMN vdev_guid TEXT NOT NULL DEFAULT '';
