-- Outgoing webhooks: entries of a conversation are told to url, signed with the
-- secret. host: of the url, in lower case. told_seq: the last entry that was told.
-- tried_at: when it was tried last, in Unix milliseconds.
CREATE TABLE hooks_out (
  id {{.ID}} NOT NULL PRIMARY KEY,
  conv_id {{.ID}} NOT NULL,
  url {{.Text}} NOT NULL,
  host VARCHAR(255) NOT NULL,
  secret VARCHAR(255) NOT NULL,
  by_id {{.ID}} NOT NULL,
  told_seq BIGINT NOT NULL,
  fails INTEGER NOT NULL DEFAULT 0,
  next_at BIGINT NOT NULL DEFAULT 0,
  problem VARCHAR(255) NOT NULL DEFAULT '',
  holder VARCHAR(64) NOT NULL DEFAULT '',
  held_until BIGINT NOT NULL DEFAULT 0,
  tried_at BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL
){{.RowidTail}};
--bun:split
CREATE INDEX hooks_out_by_conv ON hooks_out (conv_id);
