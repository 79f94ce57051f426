-- What people say of themselves beside their names. e-mail and phone are nobody
-- else's. unlisted: not found by searching; unseen: nobody is told whether they
-- are online or when they were. confirmed: the phone that they have shown to be
-- theirs; where phone is another by now it says nothing.
CREATE TABLE profiles (
  user_id {{.ID}} NOT NULL PRIMARY KEY,
  signature VARCHAR(255) NOT NULL DEFAULT '',
  gender VARCHAR(16) NOT NULL DEFAULT '',
  birthday VARCHAR(10) NOT NULL DEFAULT '',
  email VARCHAR(255) NOT NULL DEFAULT '',
  phone VARCHAR(32) NOT NULL DEFAULT '',
  confirmed VARCHAR(32) NOT NULL DEFAULT '',
  unlisted BOOLEAN NOT NULL DEFAULT FALSE,
  unseen BOOLEAN NOT NULL DEFAULT FALSE,
  updated_at BIGINT NOT NULL
){{.Tail}};
--bun:split
CREATE INDEX profiles_by_confirmed ON profiles (confirmed);
--bun:split
CREATE INDEX profiles_by_unseen ON profiles (unseen);
