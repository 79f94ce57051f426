-- Who is in which conversation, and how far each has got. Marks only grow.
CREATE TABLE members (
  conv_id {{.ID}} NOT NULL,
  user_id {{.ID}} NOT NULL,
  joined_at BIGINT NOT NULL,
  delivered_seq BIGINT NOT NULL DEFAULT 0,
  read_seq BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (conv_id, user_id)
){{.RowidTail}};
--bun:split
CREATE INDEX members_by_user ON members (user_id);
