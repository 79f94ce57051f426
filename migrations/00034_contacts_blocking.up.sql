-- Who has blocked somebody: they do not see each other come and go.
CREATE INDEX contacts_blocking ON contacts (peer_id, blocked, user_id);
