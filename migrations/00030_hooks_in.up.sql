-- Incoming webhooks: who knows the secret (its SHA-256 is kept) posts as a bot.
CREATE TABLE hooks_in (
  id {{.ID}} NOT NULL PRIMARY KEY,
  hash {{.ID}} NOT NULL,
  conv_id {{.ID}} NOT NULL,
  bot_id {{.ID}} NOT NULL,
  by_id {{.ID}} NOT NULL,
  created_at BIGINT NOT NULL
){{.RowidTail}};
--bun:split
CREATE INDEX hooks_in_by_conv ON hooks_in (conv_id);
