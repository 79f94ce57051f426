package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// about is what the database keeps of a person beside messages that is the
// person's own to have: by what it is called in a file, where it is and what of it. No secrets.
var about = []struct {
	name, table, where string
	columns            []string
	own                int // how often where has the person's id
}{
	{"account", "users", "id = ?", []string{"id", "username", "nickname", "avatar", "created_at"}, 1},
	{"profile", "profiles", "user_id = ?", []string{"signature", "gender", "birthday", "email", "phone", "unlisted", "unseen", "updated_at"}, 1},
	{"contacts", "contacts", "user_id = ?", []string{"peer_id", "contact", "blocked", "at"}, 1},
	{"contact_requests", "contact_requests", "from_id = ? OR to_id = ?", []string{"from_id", "to_id", "message", "state", "at"}, 2},
	{"devices", "devices", "user_id = ?", []string{"kind", "agent", "addr", "created_at", "seen_at"}, 1},
	{"files", "files", "owner = ?", []string{"id", "name", "type", "size", "created_at"}, 1},
	{"reports", "reports", "by_id = ?", []string{"conv_id", "seq", "user_id", "reason", "at"}, 1},
}

// About hands what is kept of u, beside conversations and messages, to each:
// rows by the name of what they are, a part at a time.
func (d *DB) About(ctx context.Context, u chat.UserID, each func(name string, rows []map[string]any) error) error {
	for _, a := range about {
		var rows []map[string]any
		args := make([]any, a.own)
		for i := range args {
			args[i] = string(u)
		}
		err := d.read.NewSelect().TableExpr("?", bun.Ident(a.table)).Column(a.columns...).Where(a.where, args...).OrderExpr("?", bun.Ident(a.columns[0])).Scan(ctx, &rows)
		if err != nil {
			return fmt.Errorf("read what is kept of a person: %w", err)
		}
		for _, r := range rows {
			for k, v := range r {
				switch b := v.(type) {
				case []byte:
					r[k] = string(b)
				case int64: // MySQL has no booleans
					if k == "unlisted" || k == "unseen" || k == "contact" || k == "blocked" {
						r[k] = b != 0
					}
				}
			}
		}
		if err := each(a.name, rows); err != nil {
			return err
		}
	}
	return nil
}
