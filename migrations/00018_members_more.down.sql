ALTER TABLE members DROP COLUMN cleared_seq;
--bun:split
ALTER TABLE members DROP COLUMN archived;
--bun:split
ALTER TABLE members DROP COLUMN pinned_at;
--bun:split
ALTER TABLE members DROP COLUMN spoke_at;
--bun:split
ALTER TABLE members DROP COLUMN muted_until;
--bun:split
ALTER TABLE members DROP COLUMN role;
