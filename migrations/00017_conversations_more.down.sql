ALTER TABLE conversations DROP COLUMN state;
--bun:split
ALTER TABLE conversations DROP COLUMN announce;
--bun:split
ALTER TABLE conversations DROP COLUMN slow;
--bun:split
ALTER TABLE conversations DROP COLUMN joining;
--bun:split
ALTER TABLE conversations DROP COLUMN notice;
