-- The logs, clustered by conversation and Seq. (author, ref) makes a draft
-- stored once; ref leads the index, since refs are time-ordered.
CREATE TABLE messages (
  conv_id {{.ID}} NOT NULL,
  seq BIGINT NOT NULL,
  id BIGINT NOT NULL,
  author {{.ID}} NOT NULL,
  ref {{.Ref}} NOT NULL,
  kind VARCHAR(16) NOT NULL,
  content {{.Text}} NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (conv_id, seq)
){{.RowidTail}};
--bun:split
CREATE UNIQUE INDEX messages_by_ref ON messages (ref, author);
