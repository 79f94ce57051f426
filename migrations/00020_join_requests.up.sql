-- Who asked to come into a group. state: 0 not answered, 1 let in, 2 refused.
CREATE TABLE join_requests (
  conv_id {{.ID}} NOT NULL,
  user_id {{.ID}} NOT NULL,
  message VARCHAR(100) NOT NULL,
  state SMALLINT NOT NULL,
  by_id {{.ID}} NOT NULL DEFAULT '',
  at BIGINT NOT NULL,
  PRIMARY KEY (conv_id, user_id)
){{.RowidTail}};
--bun:split
CREATE INDEX join_requests_by_state ON join_requests (conv_id, state, at);
--bun:split
CREATE INDEX join_requests_by_user ON join_requests (user_id);
