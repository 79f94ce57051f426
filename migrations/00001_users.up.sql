-- People. username is in lower case; nick_fold is the nickname in lower case, for search.
-- An empty password means: can't sign in with one.
CREATE TABLE users (
  id {{.ID}} NOT NULL PRIMARY KEY,
  username {{.Ref}} NOT NULL UNIQUE,
  nickname {{.Ref}} NOT NULL,
  nick_fold {{.Ref}} NOT NULL,
  avatar VARCHAR(255) NOT NULL DEFAULT '',
  password VARCHAR(255) NOT NULL DEFAULT '',
  admin BOOLEAN NOT NULL DEFAULT FALSE,
  disabled BOOLEAN NOT NULL DEFAULT FALSE,
  created_at BIGINT NOT NULL
){{.Tail}};
--bun:split
CREATE INDEX users_by_nick ON users (nick_fold);
