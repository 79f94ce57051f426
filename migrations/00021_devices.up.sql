-- Sign-ins that last, as people see them: of browsers (logins) and programs
-- (tokens), by the same hash. login is what their sockets go by.
CREATE TABLE devices (
  hash {{.ID}} NOT NULL PRIMARY KEY,
  login {{.ID}} NOT NULL,
  user_id {{.ID}} NOT NULL,
  kind VARCHAR(16) NOT NULL,
  agent VARCHAR(255) NOT NULL,
  addr VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
){{.RowidTail}};
--bun:split
CREATE INDEX devices_by_user ON devices (user_id);
