-- Of groups: notice; joining: direct, approval or invite; slow: seconds between
-- two posts of a member; announce: only the owner and administrators post;
-- state: 0 all is well, 1 disabled by an administrator of the server, 2 dismissed.
ALTER TABLE conversations ADD COLUMN notice VARCHAR(500) NOT NULL DEFAULT '';
--bun:split
ALTER TABLE conversations ADD COLUMN joining VARCHAR(16) NOT NULL DEFAULT 'invite';
--bun:split
ALTER TABLE conversations ADD COLUMN slow INTEGER NOT NULL DEFAULT 0;
--bun:split
ALTER TABLE conversations ADD COLUMN announce BOOLEAN NOT NULL DEFAULT FALSE;
--bun:split
ALTER TABLE conversations ADD COLUMN state SMALLINT NOT NULL DEFAULT 0;
