-- Links that let their holder register where registration is by invitation.
-- most: how many, 0 is without bound; expires_at: Unix milliseconds, 0 is never.
CREATE TABLE invitations (
  code {{.ID}} NOT NULL PRIMARY KEY,
  by_id {{.ID}} NOT NULL,
  note VARCHAR(100) NOT NULL,
  most INTEGER NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.RowidTail}};
