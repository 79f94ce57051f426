-- Links that let their holder into a group. most: how many, 0 is without bound;
-- expires_at: Unix milliseconds, 0 is never.
CREATE TABLE group_invites (
  code {{.ID}} NOT NULL PRIMARY KEY,
  conv_id {{.ID}} NOT NULL,
  by_id {{.ID}} NOT NULL,
  most INTEGER NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.RowidTail}};
--bun:split
CREATE INDEX group_invites_by_conv ON group_invites (conv_id);
