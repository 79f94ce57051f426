-- One row per conversation. last_seq is the end of its log.
CREATE TABLE conversations (
  id {{.ID}} NOT NULL PRIMARY KEY,
  name VARCHAR(255) NOT NULL DEFAULT '',
  avatar VARCHAR(255) NOT NULL DEFAULT '',
  owner {{.ID}} NOT NULL,
  members INTEGER NOT NULL,
  last_seq BIGINT NOT NULL DEFAULT 0,
  last_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Tail}};
