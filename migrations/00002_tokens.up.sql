-- Bearer tokens, by the SHA-256 of each.
CREATE TABLE tokens (
  hash {{.ID}} NOT NULL PRIMARY KEY,
  user_id {{.ID}} NOT NULL,
  created_at BIGINT NOT NULL
){{.RowidTail}};
--bun:split
CREATE INDEX tokens_by_user ON tokens (user_id);
