-- What people reported: an entry (seq 0: none) or a person. said: what the entry
-- said then, since its author may unsend it. state: 0 open, 1 closed.
CREATE TABLE reports (
  id BIGINT NOT NULL PRIMARY KEY,
  by_id {{.ID}} NOT NULL,
  conv_id {{.ID}} NOT NULL,
  seq BIGINT NOT NULL,
  user_id {{.ID}} NOT NULL,
  reason VARCHAR(500) NOT NULL,
  said {{.Text}} NOT NULL,
  state SMALLINT NOT NULL,
  closed_by {{.ID}} NOT NULL DEFAULT '',
  closed_at BIGINT NOT NULL DEFAULT 0,
  outcome VARCHAR(255) NOT NULL DEFAULT '',
  at BIGINT NOT NULL
){{.Tail}};
--bun:split
CREATE INDEX reports_by_state ON reports (state, id);
--bun:split
CREATE INDEX reports_by_who ON reports (by_id, state);
