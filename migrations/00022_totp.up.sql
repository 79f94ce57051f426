-- Second factors by one-time codes (RFC 6238). confirmed: asked for at sign-in.
-- last_step: the time step of the last code that was used, none before it works.
-- recovery: SHA-256 hashes of codes that work once, separated by spaces.
CREATE TABLE totp (
  user_id {{.ID}} NOT NULL PRIMARY KEY,
  secret VARCHAR(255) NOT NULL,
  confirmed BOOLEAN NOT NULL,
  last_step BIGINT NOT NULL,
  recovery {{.Text}} NOT NULL,
  created_at BIGINT NOT NULL
){{.RowidTail}};
