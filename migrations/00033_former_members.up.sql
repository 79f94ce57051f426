-- What stays of who was in a group: muted_until and spoke_at as they were, so that
-- nobody is heard again by leaving and coming back; removed: by another, so that only
-- the owner or an administrator lets them in.
CREATE TABLE former_members (
  conv_id {{.ID}} NOT NULL,
  user_id {{.ID}} NOT NULL,
  muted_until BIGINT NOT NULL,
  spoke_at BIGINT NOT NULL,
  removed BOOLEAN NOT NULL,
  PRIMARY KEY (conv_id, user_id)
){{.RowidTail}};
--bun:split
CREATE INDEX former_members_by_user ON former_members (user_id);
