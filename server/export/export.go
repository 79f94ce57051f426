// Package export writes conversations and accounts as files for the people whose
// they are: what the person may read, page by page, so that a log of any length takes
// little memory. The forms are told in docs/export.md.
package export

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/shared/words"
)

// A Log is what conversations are read by. It refuses who may not read one, and
// leaves out what the person has deleted. *room.Hub is one.
type Log interface {
	Before(ctx context.Context, u chat.UserID, conv chat.ConvID, seq int64, limit int) (chat.Page, error)
	Lines(ctx context.Context, u chat.UserID, ask wire.List) (wire.Listed, error)
}

// Progress is told how far a file is; *jobs.Progress is one.
type Progress interface {
	Total(n int64)
	Add(n int64)
}

// Formats of a conversation.
const (
	JSON = "json"
	HTML = "html"
)

// An Order says what a person wants, and how the file is to read.
type Order struct {
	Me     chat.Person
	Conv   chat.ConvID // of a conversation
	Title  string      // of it
	Format string      // of it: JSON or HTML
	Lang   words.Lang
	Zone   *time.Location
	Site   string // of links, e.g. https://chat.example.org
	Now    time.Time
}

// page is how many entries are read at a time.
const page = chat.MaxPage

// A form is a file that entries are written to, oldest first.
type form interface {
	begin(o Order) error
	entry(m chat.Message, names map[chat.UserID]chat.Person) error
	end(people map[chat.UserID]chat.Person) error
}

// Conversation writes what o says to w. It writes nothing where it is refused
// from the start; p may be nil.
func Conversation(ctx context.Context, log Log, o Order, w io.Writer, p Progress) error {
	newest, err := log.Before(ctx, o.Me.ID, o.Conv, 0, 1)
	if err != nil {
		return err
	}
	if p != nil {
		p.Total(newest.LastSeq)
	}
	b := bufio.NewWriterSize(w, 64<<10)
	var f form = &jsonForm{w: b}
	if o.Format == HTML {
		f = &htmlForm{w: b}
	}
	if err := f.begin(o); err != nil {
		return err
	}
	people := map[chat.UserID]chat.Person{}
	err = walk(ctx, log, o.Me.ID, o.Conv, newest.LastSeq, p, func(m chat.Message) error { return f.entry(m, people) }, people)
	if err != nil {
		return err
	}
	if err := f.end(people); err != nil {
		return err
	}
	return b.Flush()
}

// walk hands the entries of conv up to last to each, in order, and puts the
// people that they name into people. Logs have no holes, so the page that ends at a Seq is
// the one that begins page before it.
func walk(ctx context.Context, log Log, u chat.UserID, conv chat.ConvID, last int64, p Progress, each func(chat.Message) error, people map[chat.UserID]chat.Person) error {
	for from := int64(1); from <= last; from += page {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := log.Before(ctx, u, conv, min(from+page, last+1), page)
		if err != nil {
			return err
		}
		for _, x := range got.People {
			people[x.ID] = x
		}
		for _, m := range got.Entries {
			if m.Seq < from {
				continue // of the last page
			}
			if err := each(m); err != nil {
				return err
			}
		}
		if p != nil {
			p.Add(min(page, last+1-from))
		}
	}
	return nil
}

// jsonForm is one JSON object with each entry on a line of its own.
type jsonForm struct {
	w *bufio.Writer
	n int
}

func (f *jsonForm) begin(o Order) error {
	return head(f.w, map[string]any{
		"format": "kamachat.conversation.1", "id": o.Conv, "title": o.Title, "exported_by": o.Me.ID, "exported_at": o.Now.UTC(),
	}, "entries")
}

// head begins an object with fields, and an array called list in it.
func head(w *bufio.Writer, fields map[string]any, list string) error {
	p, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	_, err = w.Write(append(p[:len(p)-1], ",\n\""+list+"\":["...))
	return err
}

func (f *jsonForm) entry(m chat.Message, _ map[chat.UserID]chat.Person) error {
	m.Ref = "" // means something to its author's browser alone
	return item(f.w, &f.n, m)
}

// item writes one more value of an array, of which n are there.
func item(w *bufio.Writer, n *int, v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return err
	}
	sep := ",\n"
	if *n == 0 {
		sep = "\n"
	}
	*n++
	_, _ = w.WriteString(sep) // an error stays until Flush
	_, err = w.Write(p)
	return err
}

func (f *jsonForm) end(people map[chat.UserID]chat.Person) error {
	return tail(f.w, people)
}

// tail ends an array and the object that it is in, with the people in it.
func tail(w *bufio.Writer, people map[chat.UserID]chat.Person) error {
	list := make([]chat.Person, 0, len(people))
	for _, p := range people {
		list = append(list, p)
	}
	p, err := json.Marshal(list)
	if err != nil {
		return err
	}
	_, err = w.WriteString("\n],\n\"people\":" + string(p) + "}\n")
	return err
}
