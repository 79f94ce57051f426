-- Where browsers are told what they missed (Web Push), by the SHA-256 of the
-- endpoint. Each ends with the login that made it; expires_at 0: with that alone.
CREATE TABLE push_subscriptions (
  hash {{.ID}} NOT NULL PRIMARY KEY,
  user_id {{.ID}} NOT NULL,
  login {{.ID}} NOT NULL,
  endpoint {{.Text}} NOT NULL,
  p256dh {{.Ref}} NOT NULL,
  auth {{.ID}} NOT NULL,
  site {{.Text}} NOT NULL,
  lang VARCHAR(8) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
){{.RowidTail}};
--bun:split
CREATE INDEX push_subscriptions_by_user ON push_subscriptions (user_id);
--bun:split
CREATE INDEX push_subscriptions_by_login ON push_subscriptions (login);
