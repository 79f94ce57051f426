CREATE INDEX members_by_user ON members (user_id);
--bun:split
DROP INDEX members_by_line{{if .Tail}} ON members{{end}};
--bun:split
ALTER TABLE members DROP COLUMN marked;
--bun:split
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
