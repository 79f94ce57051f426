DROP INDEX users_by_disabled_seen{{if .Tail}} ON users{{end}};
--bun:split
DROP INDEX users_by_disabled{{if .Tail}} ON users{{end}};
--bun:split
DROP INDEX users_by_admin{{if .Tail}} ON users{{end}};
--bun:split
DROP INDEX users_by_seen{{if .Tail}} ON users{{end}};
--bun:split
DROP INDEX users_by_bot_of{{if .Tail}} ON users{{end}};
--bun:split
DROP INDEX users_by_time{{if .Tail}} ON users{{end}};
--bun:split
ALTER TABLE users DROP COLUMN seen_at;
--bun:split
ALTER TABLE users DROP COLUMN renew;
--bun:split
ALTER TABLE users DROP COLUMN hook;
--bun:split
ALTER TABLE users DROP COLUMN bot_of;
