-- Single values of the installation.
CREATE TABLE settings (
  name {{.ID}} NOT NULL PRIMARY KEY,
  value VARCHAR(255) NOT NULL
){{.RowidTail}};
