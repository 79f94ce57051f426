-- Long work and how far it is. state: running, done, failed or cancelled.
CREATE TABLE jobs (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(32) NOT NULL,
  by_id {{.ID}} NOT NULL,
  state VARCHAR(16) NOT NULL,
  done BIGINT NOT NULL,
  total BIGINT NOT NULL,
  detail {{.Text}} NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
){{.Tail}};
--bun:split
CREATE INDEX jobs_by_who ON jobs (by_id, id);
--bun:split
CREATE INDEX jobs_by_state ON jobs (state, id);
