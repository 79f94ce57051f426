package export

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func msTime(ms int64) time.Time { return time.UnixMilli(ms) }

// Rows is what is kept of people beside conversations. server/store has it.
type Rows interface {
	// About hands rows to each, by the name of what they are.
	About(ctx context.Context, u chat.UserID, each func(name string, rows []map[string]any) error) error
}

// Account writes, as JSON, everything that is kept of o.Me: what they said of
// themselves, contacts, devices, files, conversations, and their own messages in these.
func Account(ctx context.Context, log Log, rows Rows, o Order, w io.Writer, p Progress) error {
	b := bufio.NewWriterSize(w, 64<<10)
	fields := map[string]any{"format": "kamachat.account.1", "exported_at": o.Now.UTC()}
	if err := rows.About(ctx, o.Me.ID, func(name string, rs []map[string]any) error {
		if rs == nil {
			rs = []map[string]any{}
		}
		fields[name] = rs
		return nil
	}); err != nil {
		return err
	}
	people := map[chat.UserID]chat.Person{}
	var convs []conv
	seen := map[chat.ConvID]bool{} // what is pinned comes first, and perhaps again
	for after := ""; ; {
		l, err := log.Lines(ctx, o.Me.ID, wire.List{After: after})
		if err != nil {
			return err
		}
		for _, x := range l.People {
			people[x.ID] = x
		}
		for _, s := range l.Convs {
			if seen[s.Conv] {
				continue
			}
			seen[s.Conv] = true
			convs = append(convs, conv{s.Conv, s.Title, s.LastSeq})
			if p != nil {
				p.Total(total(convs))
			}
		}
		if after = l.Next; after == "" {
			break
		}
	}
	list := make([]json.RawMessage, len(convs))
	for i, c := range convs {
		list[i], _ = json.Marshal(map[string]any{"id": c.id, "title": c.title, "last_seq": c.last}) // texts and a number
	}
	fields["conversations"] = list
	if err := head(b, fields, "messages"); err != nil {
		return err
	}
	n := 0
	for _, c := range convs {
		err := walk(ctx, log, o.Me.ID, c.id, c.last, p, func(m chat.Message) error {
			if m.Author != o.Me.ID {
				return nil
			}
			m.Ref = ""
			return item(b, &n, m)
		}, map[chat.UserID]chat.Person{}) // only of the list: others' names are not one's own
		if ref := chat.AsRefusal(err); err != nil && ref.Code != chat.Forbidden && ref.Code != chat.NotFound { // left meanwhile
			return err
		}
	}
	if err := tail(b, people); err != nil {
		return err
	}
	return b.Flush()
}

// A conv is a line of the person's list.
type conv struct {
	id    chat.ConvID
	title string
	last  int64
}

func total(cs []conv) (n int64) {
	for _, c := range cs {
		n += c.last
	}
	return n
}
