-- When something was done last is asked for by the status; the log only grows.
CREATE INDEX audit_by_action ON audit (action, seq);
