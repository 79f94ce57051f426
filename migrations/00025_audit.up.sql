-- What administrators did. Rows are only ever added.
CREATE TABLE audit (
  id BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  by_id {{.ID}} NOT NULL,
  by_name {{.Ref}} NOT NULL,
  what VARCHAR(64) NOT NULL,
  target {{.ID}} NOT NULL,
  detail {{.Text}} NOT NULL,
  addr VARCHAR(64) NOT NULL
){{.Tail}};
--bun:split
CREATE INDEX audit_by_target ON audit (target, id);
--bun:split
CREATE INDEX audit_by_who ON audit (by_id, id);
--bun:split
CREATE INDEX audit_by_what ON audit (what, id);
--bun:split
CREATE INDEX audit_by_name ON audit (by_name, id);
