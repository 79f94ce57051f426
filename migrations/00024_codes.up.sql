-- One-time codes that were sent, by what they are for; only their hash is kept.
CREATE TABLE codes (
  name {{.Ref}} NOT NULL PRIMARY KEY,
  hash {{.ID}} NOT NULL,
  tries INTEGER NOT NULL,
  expires_at BIGINT NOT NULL
){{.RowidTail}};
