ALTER TABLE tokens DROP COLUMN scopes;
--bun:split
ALTER TABLE tokens DROP COLUMN name;
