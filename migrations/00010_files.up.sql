-- What people uploaded; the bytes are in the folder of --files. state: 0 the
-- bytes are still coming, 1 nobody has posted it, 2 posted, 3 being removed.
CREATE TABLE files (
  id {{.ID}} NOT NULL PRIMARY KEY,
  owner {{.ID}} NOT NULL,
  name {{.Text}} NOT NULL,
  type VARCHAR(255) NOT NULL,
  size BIGINT NOT NULL,
  width INT NOT NULL,
  height INT NOT NULL,
  state SMALLINT NOT NULL,
  created_at BIGINT NOT NULL
){{.RowidTail}};
--bun:split
CREATE INDEX files_by_owner ON files (owner, created_at);
--bun:split
CREATE INDEX files_by_state ON files (state, created_at);
--bun:split
-- The conversations that a file was posted in: their members may read it.
CREATE TABLE file_posts (
  file_id {{.ID}} NOT NULL,
  conv_id {{.ID}} NOT NULL,
  PRIMARY KEY (file_id, conv_id)
){{.RowidTail}};
