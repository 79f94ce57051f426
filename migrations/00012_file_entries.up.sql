-- The entries that a file was posted in: the members of their conversations may
-- read it. It takes the place of file_posts, which did not say in which entry, so
-- that an entry that was unsent could not give its file up. No release had that.
CREATE TABLE file_entries (
  file_id {{.ID}} NOT NULL,
  conv_id {{.ID}} NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (file_id, conv_id, seq)
){{.RowidTail}};
--bun:split
DROP TABLE IF EXISTS file_posts;
