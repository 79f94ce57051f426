CREATE TABLE file_posts (
  file_id {{.ID}} NOT NULL,
  conv_id {{.ID}} NOT NULL,
  PRIMARY KEY (file_id, conv_id)
){{.RowidTail}};
--bun:split
DROP TABLE file_entries;
