-- Who asked whom to be contacts. state: 0 not answered, 1 accepted, 2 refused.
CREATE TABLE contact_requests (
  from_id {{.ID}} NOT NULL,
  to_id {{.ID}} NOT NULL,
  message VARCHAR(100) NOT NULL,
  state SMALLINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (from_id, to_id)
){{.RowidTail}};
--bun:split
CREATE INDEX contact_requests_by_to ON contact_requests (to_id, state);
