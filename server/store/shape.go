package store

import "strings"

// A shape is a statement about any number of rows: head, then row for each with
// sep between, then tail. A commit runs the same few shapes over and over, so
// they are written out: building and preparing them anew took SQLite half the
// time of a commit (docs/decisions/011-commit-path.md).
type shape struct {
	head, row, sep, tail string
	args                 int // of one row
}

func (s *shape) text(rows int) string {
	var b strings.Builder
	b.Grow(len(s.head) + rows*(len(s.row)+len(s.sep)) + len(s.tail))
	b.WriteString(s.head)
	for i := range rows {
		if i > 0 {
			b.WriteString(s.sep)
		}
		b.WriteString(s.row)
	}
	b.WriteString(s.tail)
	return b.String()
}

// shapes are the statements of the commit path.
type shapes struct {
	selectStored, selectUsers                *shape
	selectGroups, selectSeats, selectBonds   *shape
	selectFormer                             *shape
	selectHeads, lockHeads                   *shape // lockHeads: until the end of the transaction
	moveHeads, insertMembers, insertMessages *shape
	selectEntries, rewriteMessage            *shape // the latter of one row
	moveMarks                                *shape
	// Of uploads, where there are any.
	lockFile, markFiles, insertFileEntries *shape
	deleteFileEntry, lockUnsent, freeFile  *shape
}

// shapesOf returns the words of one of the two databases.
func shapesOf(mysql bool) shapes {
	s := shapes{
		selectStored: &shape{
			head: "SELECT conv_id, seq, id, author, ref, content, created_at FROM messages WHERE ",
			row:  "(ref = ? AND author = ?)", sep: " OR ", args: 2,
		},
		selectEntries: &shape{
			head: "SELECT conv_id, seq, id, author, ref, content, created_at FROM messages WHERE ",
			row:  "(conv_id = ? AND seq = ?)", sep: " OR ", args: 2,
		},
		selectUsers: &shape{head: "SELECT u.id, u.admin, u.bot_of FROM users AS u WHERE u.disabled = FALSE AND (u.bot_of = '' OR EXISTS (SELECT 1 FROM users AS o WHERE o.id = u.bot_of AND o.disabled = FALSE)) AND u.id IN (", row: "?", sep: ",", tail: ")", args: 1},
		selectGroups: &shape{
			head: "SELECT id, name, avatar, notice, owner, members, state, joining, slow, announce FROM conversations WHERE id IN (",
			row:  "?", sep: ",", tail: ")", args: 1,
		},
		selectSeats: &shape{
			head: "SELECT m.conv_id, m.user_id, m.role, m.muted_until, m.spoke_at, c.state, c.slow, c.announce FROM members AS m JOIN conversations AS c ON c.id = m.conv_id WHERE ",
			row:  "(m.conv_id = ? AND m.user_id = ?)", sep: " OR ", args: 2,
		},
		selectFormer: &shape{
			head: "SELECT conv_id, user_id, muted_until, spoke_at, removed FROM former_members WHERE ",
			row:  "(conv_id = ? AND user_id = ?)", sep: " OR ", args: 2,
		},
		selectBonds: &shape{
			head: "SELECT user_id, peer_id, contact, blocked FROM contacts WHERE ",
			row:  "(user_id = ? AND peer_id = ?)", sep: " OR ", args: 2,
		},
		selectHeads:   &shape{head: "SELECT id, last_seq, last_at FROM conversations WHERE id IN (", row: "?", sep: ",", tail: ")", args: 1},
		insertMembers: &shape{head: "INSERT INTO members (conv_id, user_id, joined_at) VALUES ", row: "(?,?,?)", sep: ",", args: 3},
	}
	const (
		heads    = "INTO conversations (id, owner, members, last_seq, last_at, created_at) VALUES "
		messages = "INTO messages (conv_id, seq, id, author, ref, kind, content, created_at) VALUES "
	)
	lockFile := ""
	lock, insert, update, advance := s.selectHeads.tail, "INSERT OR FAIL ", "UPDATE OR FAIL ", " ON CONFLICT (id) DO UPDATE SET last_seq = excluded.last_seq, last_at = excluded.last_at"
	s.moveMarks = &shape{
		head: "WITH v (c, u, d, r) AS (VALUES ", row: "(?,?,?,?)", sep: ",",
		tail: `) UPDATE OR FAIL members SET delivered_seq = MAX(delivered_seq, v.d), read_seq = MAX(read_seq, v.r)
			FROM v WHERE conv_id = v.c AND user_id = v.u AND (delivered_seq < v.d OR read_seq < v.r)`, args: 4,
	}
	if mysql {
		lockFile = " FOR UPDATE"
		lock, insert, update, advance = ") ORDER BY id FOR UPDATE", "INSERT ", "UPDATE ", " ON DUPLICATE KEY UPDATE last_seq = VALUES(last_seq), last_at = VALUES(last_at)"
		s.moveMarks = &shape{
			head: "UPDATE members AS m JOIN (", row: "SELECT ? AS c, ? AS u, ? AS d, ? AS r", sep: " UNION ALL ",
			tail: `) AS v ON m.conv_id = v.c AND m.user_id = v.u
				SET m.delivered_seq = GREATEST(m.delivered_seq, v.d), m.read_seq = GREATEST(m.read_seq, v.r)`, args: 4,
		}
	}
	// OR FAIL: what a statement that fails had written stays, since the whole
	// transaction is rolled back anyway. SQLite would otherwise copy every page
	// before it is changed, to take back the one statement.
	s.lockFile = &shape{
		head: "SELECT f.name, f.type, f.size, f.width, f.height FROM files AS f WHERE f.state IN (1, 2) AND ",
		row:  "f.id = ? AND " + mayRead, tail: lockFile, args: 3,
	}
	s.selectEntries.tail = lockFile // what is removed meanwhile (ExpireSome) is not brought back by a rewrite
	s.markFiles = &shape{head: "UPDATE files SET state = 2 WHERE id IN (", row: "?", sep: ",", tail: ")", args: 1}
	s.insertFileEntries = &shape{head: "INSERT INTO file_entries (file_id, conv_id, seq) VALUES ", row: "(?,?,?)", sep: ",", args: 3}
	s.deleteFileEntry = &shape{head: "DELETE FROM file_entries WHERE ", row: "file_id = ? AND conv_id = ? AND seq = ?", args: 3}
	s.lockUnsent = &shape{head: "SELECT id FROM files WHERE ", row: "id = ?", tail: lockFile, args: 1}
	s.freeFile = &shape{
		head: "UPDATE files SET state = 1 WHERE state = 2 AND NOT EXISTS (SELECT 1 FROM file_entries AS e WHERE e.file_id = files.id) AND " +
			"NOT EXISTS (SELECT 1 FROM users AS a WHERE a.id = files.owner AND SUBSTR(a.avatar, 8, 26) = files.id) AND ",
		row: "id = ?", args: 1,
	}
	s.rewriteMessage = &shape{head: update + "messages SET kind = ?, content = ? WHERE conv_id = ? AND seq = ?", args: 4}
	s.lockHeads = &shape{head: s.selectHeads.head, row: "?", sep: ",", tail: lock, args: 1}
	s.moveHeads = &shape{head: insert + heads, row: "(?,?,?,?,?,?)", sep: ",", tail: advance, args: 6}
	s.insertMessages = &shape{head: insert + messages, row: "(?,?,?,?,?,?,?,?)", sep: ",", args: 8}
	return s
}
