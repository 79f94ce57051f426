-- What each node measured, for the charts of administrators; pruned after days.
CREATE TABLE samples (
  node VARCHAR(64) NOT NULL,
  at BIGINT NOT NULL,
  data {{.Text}} NOT NULL,
  PRIMARY KEY (node, at)
){{.RowidTail}};
--bun:split
CREATE INDEX samples_by_time ON samples (at);
