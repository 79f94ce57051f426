-- What somebody is to somebody: user_id has peer_id as a contact, has blocked
-- them, or both. One row for each direction.
CREATE TABLE contacts (
  user_id {{.ID}} NOT NULL,
  peer_id {{.ID}} NOT NULL,
  contact BOOLEAN NOT NULL DEFAULT FALSE,
  blocked BOOLEAN NOT NULL DEFAULT FALSE,
  at BIGINT NOT NULL,
  PRIMARY KEY (user_id, peer_id)
){{.RowidTail}};
