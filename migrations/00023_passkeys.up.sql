-- Passkeys (WebAuthn), by the credential's id in base64url.
CREATE TABLE passkeys (
  id {{.Ref}} NOT NULL PRIMARY KEY,
  user_id {{.ID}} NOT NULL,
  name VARCHAR(64) NOT NULL,
  data {{.Blob}} NOT NULL,
  created_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL
){{.RowidTail}};
--bun:split
CREATE INDEX passkeys_by_user ON passkeys (user_id);
