-- bot_of: whose bot an account is; empty: it is a person's. hook: it is the bot of an
-- incoming webhook. renew: the password was given by an administrator and is to be
-- changed. seen_at: last here, in Unix milliseconds.
ALTER TABLE users ADD COLUMN bot_of {{.ID}} NOT NULL DEFAULT '';
--bun:split
ALTER TABLE users ADD COLUMN hook BOOLEAN NOT NULL DEFAULT FALSE;
--bun:split
ALTER TABLE users ADD COLUMN renew BOOLEAN NOT NULL DEFAULT FALSE;
--bun:split
ALTER TABLE users ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
--bun:split
CREATE INDEX users_by_time ON users (created_at);
--bun:split
CREATE INDEX users_by_bot_of ON users (bot_of);
--bun:split
CREATE INDEX users_by_seen ON users (seen_at, id);
--bun:split
CREATE INDEX users_by_admin ON users (admin, username);
--bun:split
CREATE INDEX users_by_disabled ON users (disabled, username);
--bun:split
CREATE INDEX users_by_disabled_seen ON users (disabled, seen_at, id);
