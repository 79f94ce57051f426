-- role: 0 member, 1 administrator, 2 owner of a group. muted_until: may not post
-- until, Unix milliseconds. spoke_at: last post in a group that is slow. For the
-- member's own list: pinned_at, 0 is not pinned; archived; cleared_seq: deleted
-- for the member up to this entry; marked as unread. The index finds a member's list and, without
-- looking at the rest of it, what the member has made of it.
ALTER TABLE members ADD COLUMN role SMALLINT NOT NULL DEFAULT 0;
--bun:split
ALTER TABLE members ADD COLUMN muted_until BIGINT NOT NULL DEFAULT 0;
--bun:split
ALTER TABLE members ADD COLUMN spoke_at BIGINT NOT NULL DEFAULT 0;
--bun:split
ALTER TABLE members ADD COLUMN pinned_at BIGINT NOT NULL DEFAULT 0;
--bun:split
ALTER TABLE members ADD COLUMN archived BOOLEAN NOT NULL DEFAULT FALSE;
--bun:split
ALTER TABLE members ADD COLUMN cleared_seq BIGINT NOT NULL DEFAULT 0;
--bun:split
ALTER TABLE members ADD COLUMN marked BOOLEAN NOT NULL DEFAULT FALSE;
--bun:split
CREATE INDEX members_by_line ON members (user_id, pinned_at, archived, cleared_seq, marked);
--bun:split
DROP INDEX members_by_user{{if .Tail}} ON members{{end}};
--bun:split
UPDATE members SET role = 2 WHERE EXISTS (SELECT 1 FROM conversations WHERE conversations.id = members.conv_id AND conversations.owner = members.user_id AND conversations.id LIKE 'G%');
