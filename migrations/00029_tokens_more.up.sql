-- name: of a bot's token. scopes: what it may do, separated by spaces; empty: all
-- that its person may.
ALTER TABLE tokens ADD COLUMN name VARCHAR(64) NOT NULL DEFAULT '';
--bun:split
ALTER TABLE tokens ADD COLUMN scopes VARCHAR(255) NOT NULL DEFAULT '';
