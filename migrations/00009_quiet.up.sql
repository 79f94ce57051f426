-- Conversations of which somebody wants no notifications, until Unix
-- milliseconds, or for ever where that is -1.
CREATE TABLE mutes (
  user_id {{.ID}} NOT NULL,
  conv_id {{.ID}} NOT NULL,
  until_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, conv_id)
){{.RowidTail}};
--bun:split
-- When somebody wants none at all: until then, and daily between two times
-- (HH:MM, both empty: never) in a time zone.
CREATE TABLE quiet (
  user_id {{.ID}} NOT NULL PRIMARY KEY,
  until_at BIGINT NOT NULL,
  from_time VARCHAR(5) NOT NULL,
  to_time VARCHAR(5) NOT NULL,
  zone VARCHAR(64) NOT NULL
){{.RowidTail}};
