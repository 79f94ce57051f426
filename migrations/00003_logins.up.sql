-- Sign-ins of browsers, by the SHA-256 of the cookie's token.
CREATE TABLE logins (
  token {{.ID}} NOT NULL PRIMARY KEY,
  data {{.Blob}} NOT NULL,
  expires_at BIGINT NOT NULL
){{.RowidTail}};
--bun:split
CREATE INDEX logins_by_expiry ON logins (expires_at);
