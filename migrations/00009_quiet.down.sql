DROP TABLE quiet;
--bun:split
DROP TABLE mutes;
